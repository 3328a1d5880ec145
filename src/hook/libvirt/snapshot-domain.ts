// A snapshot of a running VM by libvirt's own means: memory by a live save, disks by overlays of the same moment. While
// the VM writes to the overlays its images stand still and are copied; then the overlays go back into them.
//
// Whatever happens on the way, the VM runs on and its disks are brought back; what a kill leaves, the next run finds.
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { messageOf } from '../../flow/message-of.js';
import { allocatedBytes } from '../../spool/allocated-bytes.js';
import type { Captured } from '../../spool/captured.js';
import { vmPathPart } from '../../spool/layout.js';
import { lockCapture } from '../../spool/lock.js';
import { addEntry } from '../../spool/new-entry.js';
import { type Domain, parseDomainXml } from '../../vm/libvirt/domain-xml.js';
import { normalUuid } from '../../vm/qemu/machine-uuid.js';
import { uuidIdentity } from '../../vm/vm-identity.js';
import type { HookContext } from '../hook-context.js';
import { reportDropped } from '../report-dropped.js';
import { configOf } from '../take/capture-into-spool.js';
import { commitOverlays } from './commit-overlays.js';
import { copyDisk } from './copy-disk.js';
import { chooseDisks, type ChosenDisk, type DiskChoice } from './disk-choice.js';
import { expectFreeSpace } from './free-space.js';
import { letRunOn } from './let-run-on.js';
import { overlayPathOf } from './overlay-name.js';
import { Virsh } from './virsh.js';

/** In the entry's folder. */
const memoryFile = 'image';
/** For each disk, beside it: what the VM may write while its disks are copied. */
const overlayRoomBytes = 2 ** 30;

export interface DomainSnapshot {
  /** The VM's name, as libvirt has it. */
  readonly vm: string;
  /** The snapshot's name in the spool. */
  readonly entry: string;
  /** Whether the VM writes to its own images again. */
  readonly isBack: boolean;
}

/**
 * Throws `unavailable` when libvirt cannot be asked, the VM does not run or another snapshot of it is
 * under way, `no-space` before anything is done.
 */
export async function snapshotDomain(
  hook: HookContext,
  domainWord: string,
): Promise<DomainSnapshot> {
  const { spool, log, config } = hook;
  const virsh = new Virsh(config.libvirt.uri, domainWord, hook.signal);
  // libvirt takes a UUID too, and a number, which is another domain's tomorrow.
  const { name: vm } = await readDomain(virsh, domainWord);
  expectVmName(vm, 'rename the domain (virsh domrename)');
  const lock = await lockCapture(spool.paths.root, vmPathPart(vm), hook.signal);
  if (lock === undefined) {
    throw new ParsError('unavailable', `another process is taking a snapshot of ${vm}`);
  }
  try {
    const state = await virsh.state();
    if (!state.startsWith('running')) {
      throw new ParsError(
        'unavailable',
        `expected the VM ${vm} to run, it is ${state}: a live snapshot is of a running VM`,
      );
    }
    await commitOverlays(virsh, vm, log);
    const domain = await readDomain(virsh, domainWord);
    const choice = choiceOf(hook, vm, domain);
    const expectedBytes = await expectedBytesOf(domain, choice);
    await expectFreeSpace([
      { folder: spool.paths.root, sizeBytes: expectedBytes },
      ...choice.chosen.map(({ sourcePath }) => ({
        folder: dirname(sourcePath),
        sizeBytes: overlayRoomBytes,
      })),
    ]);
    let isBack = true;
    const entry = await addEntry(spool, {
      vm,
      identity: randomBytes(8).toString('hex'),
      expectedBytes,
      fill: async (folder) => {
        try {
          const identity = uuidIdentity(normalUuid(domain.uuid));
          return { ...(await fillEntry(hook, virsh, vm, choice, folder)), identity };
        } finally {
          isBack = await bringBack(hook, virsh, vm);
        }
      },
      onDropped: (dropped) => reportDropped(hook, dropped),
    });
    log.info('a snapshot is in the spool', { vm, entry });
    return { vm, entry, isBack };
  } finally {
    await lock.release();
  }
}

async function readDomain(virsh: Virsh, domainWord: string): Promise<Domain> {
  return parseDomainXml(await virsh.domainXml(), `the XML of ${domainWord}`);
}

async function fillEntry(
  hook: HookContext,
  virsh: Virsh,
  vm: string,
  { chosen, left }: DiskChoice,
  folder: string,
): Promise<Captured> {
  const momentMs = Date.now();
  const imagePath = join(folder, memoryFile);
  await virsh
    .createSnapshot(imagePath, [
      ...chosen.map(({ target, sourcePath }) => ({
        target,
        overlayPath: overlayPathOf(sourcePath, momentMs),
      })),
      ...left.map(({ target }) => ({ target, overlayPath: undefined })),
    ])
    .catch(async (error: unknown) => {
      await letRunOn(virsh, vm, imagePath, hook.log);
      throw error;
    });
  // The VM goes on when the last of its memory is in the file.
  const { mtimeMs } = await stat(imagePath);
  for (const disk of chosen) {
    await copyDisk(disk, join(folder, diskFile(disk)), hook.signal);
  }
  return {
    version: 1,
    vm,
    createdMs: Math.trunc(mtimeMs),
    source: 'libvirt',
    image: { file: memoryFile, format: 'libvirt-save' },
    disks: chosen.map((disk) => ({
      name: disk.target,
      file: diskFile(disk),
      sourcePath: disk.sourcePath,
      sourceFormat: disk.format,
    })),
    way: 'libvirt',
  };
}

/** Never throws: the snapshot is none the worse, and what remains to be done is logged and done by the next run. */
async function bringBack({ log }: HookContext, virsh: Virsh, vm: string): Promise<boolean> {
  try {
    await commitOverlays(virsh, vm, log);
    return true;
  } catch (error) {
    log.error('the VM is not back on its own disks; the next run tries again', {
      vm,
      error: messageOf(error),
    });
    return false;
  }
}

function choiceOf(hook: HookContext, vm: string, { disks }: Domain): DiskChoice {
  const withDisks = configOf(hook, vm)?.disks ?? hook.config.libvirt.disks;
  const choice = chooseDisks(disks);
  for (const { target, reason, isMissed } of choice.left) {
    hook.log[isMissed && withDisks ? 'warn' : 'debug'](
      `a disk is not part of the snapshot: ${reason}`,
      { vm, disk: target },
    );
  }
  if (withDisks) {
    return choice;
  }
  const reason = 'the configuration leaves disks out';
  return {
    chosen: [],
    left: disks.map(({ target }) => ({ target, reason, isMissed: false })),
  };
}

async function expectedBytesOf(
  { memorySizeBytes = 0 }: Domain,
  choice: DiskChoice,
): Promise<number> {
  let sizeBytes = memorySizeBytes;
  for (const { sourcePath } of choice.chosen) {
    sizeBytes += await allocatedBytes(sourcePath);
  }
  return sizeBytes;
}

const diskFile = ({ target }: ChosenDisk): string => `disk-${target}.img`;
