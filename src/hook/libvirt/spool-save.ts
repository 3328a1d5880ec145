// A file of `virsh save`, with the VM's disks of the same moment as far as they are sure, into the spool.
//
// A saved VM does not run, so its disks stay as they were until it is started again. They belong to the moment if nobody
// has written to them since the save ended, nor until after they were copied: by their times, to the nanosecond.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { diskError } from '../../host/disk-error.js';
import { allocatedBytes } from '../../spool/allocated-bytes.js';
import type { Captured } from '../../spool/captured.js';
import { isKnown } from '../../spool/is-known.js';
import { entryName, vmPathPart } from '../../spool/layout.js';
import { waitForLock } from '../../spool/lock.js';
import { addEntry } from '../../spool/new-entry.js';
import { parseDomainXml } from '../../vm/libvirt/domain-xml.js';
import { readSaveXml } from '../../vm/libvirt/save-xml.js';
import { normalUuid } from '../../vm/qemu/machine-uuid.js';
import { uuidIdentity } from '../../vm/vm-identity.js';
import type { HookContext } from '../hook-context.js';
import { reportDropped } from '../report-dropped.js';
import { adoptFile, factsOf, type FileFacts } from '../take/adopt-file.js';
import { configOf } from '../take/capture-into-spool.js';
import { identityOf } from '../take/snapshot-identity.js';
import { copyDisk } from './copy-disk.js';
import { chooseDisks, type ChosenDisk } from './disk-choice.js';

export interface SavedVm {
  readonly path: string;
  /** In place of the domain's name. */
  readonly vm?: string | undefined;
  /** Nobody will write into the file again, so that a second name for it will do. */
  readonly link: boolean;
}

const imageFile = 'image';
/** libvirt gives disks back to their owner once the VM has ended, which a file's time of status tells. */
const ownerChangeNs = 10n * 1_000_000_000n;
/** Another snapshot of the VM may be on its way in, by copying. */
const lockTimeoutMs = 3_600_000;

/** Throws as `offerSnapshot` does; `image-invalid` also when the save is not whole. */
export async function spoolSave(hook: HookContext, saved: SavedVm): Promise<'spooled' | 'known'> {
  const { spool, log, signal } = hook;
  const { path, link } = saved;
  const domain = parseDomainXml(readSaveXml(path), `the XML in ${path}`);
  const vm = saved.vm ?? domain.name;
  expectVmName(vm, 'say with --vm NAME what the VM is called');
  const facts = await factsOf(path);
  const identity = identityOf(vm, [{ target: imageFile, facts }]);
  const entry = entryName(vm, identity);
  const lock = await waitForLock(spool.paths.root, 'capture', vmPathPart(vm), {
    timeoutMs: lockTimeoutMs,
    signal,
  });
  try {
    if (await isKnown(spool, entry)) {
      log.info('the snapshot is known already', { vm, image: path });
      return 'known';
    }
    // Reads the stream to its end.
    openImage(path, { format: 'libvirt-save' }).close();
    const disks = await disksOfMoment(hook, vm, domain.disks, facts);
    let expectedBytes = await allocatedBytes(path);
    for (const { sourcePath } of disks) {
      expectedBytes += await allocatedBytes(sourcePath);
    }
    await addEntry(spool, {
      vm,
      identity,
      expectedBytes,
      fill: async (folder) => {
        // What is linked lies in libvirt's folder, which is QEMU's user's.
        await adoptFile(path, join(folder, imageFile), { link, isForeign: link, facts, signal });
        const identity = uuidIdentity(normalUuid(domain.uuid));
        return { ...(await capturedOf(hook, vm, facts, disks, folder)), identity };
      },
      onDropped: (dropped) => reportDropped(hook, dropped),
    });
    log.info('a snapshot is in the spool', { vm, entry, image: path });
    return 'spooled';
  } finally {
    await lock.release();
  }
}

async function capturedOf(
  hook: HookContext,
  vm: string,
  facts: FileFacts,
  disks: readonly ChosenDisk[],
  folder: string,
): Promise<Captured> {
  const copied: Captured['disks'] = [];
  for (const { target, sourcePath, format } of disks) {
    const file = `disk-${target}.img`;
    try {
      await copyDisk({ sourcePath, format }, join(folder, file), hook.signal);
      copied.push({ name: target, file, sourcePath, sourceFormat: format });
    } catch (error) {
      if (!(error instanceof ParsError) || isOfSpool(error)) {
        throw error;
      }
      tellOfMissing(hook, vm, target, error.message);
    }
  }
  return {
    version: 1,
    vm,
    createdMs: Number(facts.mtimeNs / 1_000_000n),
    source: 'libvirt',
    image: { file: imageFile, format: 'libvirt-save' },
    disks: copied,
  };
}

/** What a snapshot without the disk would suffer from too. */
const isOfSpool = ({ code }: ParsError): boolean => code === 'no-space' || code === 'cancelled';

async function disksOfMoment(
  hook: HookContext,
  vm: string,
  domainDisks: Parameters<typeof chooseDisks>[0],
  { mtimeNs: endNs }: FileFacts,
): Promise<readonly ChosenDisk[]> {
  if (!(configOf(hook, vm)?.disks ?? hook.config.libvirt.disks)) {
    return [];
  }
  const { chosen, left } = chooseDisks(domainDisks);
  for (const { target, reason, isMissed } of left) {
    if (isMissed) {
      tellOfMissing(hook, vm, target, reason);
    }
  }
  const sure: ChosenDisk[] = [];
  for (const disk of chosen) {
    const doubt = await doubtOf(disk, endNs).catch((error: unknown) => (error as Error).message);
    if (doubt === undefined) {
      sure.push(disk);
    } else {
      tellOfMissing(hook, vm, disk.target, doubt);
    }
  }
  return sure;
}

async function doubtOf({ sourcePath }: ChosenDisk, endNs: bigint): Promise<string | undefined> {
  if (BigInt(Date.now()) * 1_000_000n < endNs) {
    return 'the clock was set back since the save, so times prove nothing';
  }
  const { mtimeNs, ctimeNs } = await stat(sourcePath, { bigint: true }).catch((error: unknown) => {
    throw diskError(error, `cannot look at ${sourcePath}`);
  });
  if (mtimeNs > endNs) {
    return `${sourcePath} was written to since the save ended`;
  }
  return ctimeNs > endNs + ownerChangeNs
    ? `${sourcePath} was put there or changed its owner since the save ended`
    : undefined;
}

function tellOfMissing({ log }: HookContext, vm: string, disk: string, reason: string): void {
  log.warn(`a disk is not part of the snapshot: ${reason}`, { vm, disk });
}
