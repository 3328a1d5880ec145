// Brings a VM's disks back to how they were before a snapshot: what it wrote to our overlays goes into the images under
// them, the VM goes on with those, and the overlays are removed. Also finds what a killed run has left; any number of
// times is as good as once.
import { readdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { messageOf } from '../../flow/message-of.js';
import { isAbsent } from '../../spool/is-absent.js';
import { parseDomainXml } from '../../vm/libvirt/domain-xml.js';
import type { HookLog } from '../observe/log.js';
import { imageUnder } from './overlay-name.js';
import type { Virsh } from './virsh.js';

/**
 * Every overlay is tried. Throws `unavailable` when the VM still writes to one: nothing is lost then, and the next run
 * tries again.
 */
export async function commitOverlays(virsh: Virsh, vm: string, log: HookLog): Promise<void> {
  const { disks } = parseDomainXml(await virsh.domainXml(), `the XML of ${vm}`);
  const problems: string[] = [];
  for (const { target, sourcePath = '' } of disks) {
    const imagePath = imageUnder(sourcePath);
    if (imagePath !== undefined) {
      try {
        await commitOne(virsh, target, imagePath);
        await removeOverlay(sourcePath);
        log.info('what the VM wrote meanwhile is in its own image again', { vm, disk: target });
      } catch (error) {
        problems.push(`${target}: ${messageOf(error)}`);
      }
    }
    await tellOfUnused(imagePath ?? sourcePath, sourcePath, vm, log);
  }
  if (problems.length > 0) {
    throw new ParsError(
      'unavailable',
      `${vm} still writes to an overlay, which the next run commits: ${problems.join('; ')}`,
    );
  }
}

async function commitOne(virsh: Virsh, target: string, imagePath: string): Promise<void> {
  if (await virsh.hasBlockJob(target)) {
    // Of a run that was killed. The overlay still has everything.
    await virsh.abortBlockJob(target);
  }
  await virsh.commitOverlay(target);
  const { disks } = parseDomainXml(await virsh.domainXml(), 'the XML of the VM');
  const now = disks.find((disk) => disk.target === target)?.sourcePath;
  if (now !== imagePath) {
    throw new ParsError(
      'unavailable',
      `expected the VM to write to ${imagePath} again, it writes to ${now ?? 'nothing'}`,
    );
  }
}

async function removeOverlay(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isAbsent(error)) {
      throw error;
    }
  });
}

/** An overlay that the VM does not use may hold what it wrote before somebody set its disk back by hand: nobody here knows. */
async function tellOfUnused(
  imagePath: string,
  activePath: string,
  vm: string,
  log: HookLog,
): Promise<void> {
  const folder = dirname(imagePath);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    if (imageUnder(name) === basename(imagePath) && path !== activePath) {
      log.warn(
        'an overlay of an earlier run is left, and the VM does not use it; remove it when you know why',
        {
          vm,
          path,
        },
      );
    }
  }
}
