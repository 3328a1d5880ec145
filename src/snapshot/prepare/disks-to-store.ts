// `--with-disks`: the images given with `--disk` as the disks that a snapshot stores, and what that takes.
import { resolve } from 'node:path';
import { findFilePlaces } from '../../../introspect/heal/file-places.js';
import { type DiskArgument, diskNames, nameForUnnamed } from '../../disk/guest-disks.js';
import { identifyDisks } from '../../disk/identify-disks.js';
import { disksOf } from '../../manifest/space/spaces.js';
import type { Manifest, PackEntry } from '../../manifest/types.js';
import { usedPacks } from '../../manifest/used-frames.js';
import { plannedDiskBytes } from '../../plan/disk-plan.js';
import type { Policy } from '../../plan/policy.js';
import { plannedBytes, storedSaving } from '../../plan/saving.js';
import { copies } from '../../store/redundancy.js';
import { closeDisksToStore, type DiskToStore, openDisksToStore } from '../disk-to-store.js';
import type { LabelledImage } from './open-image.js';

/**
 * A disk without a name is the only one that the guest's memory names; where that names none or several, it is called by its
 * place on the command line.
 */
export function disksToStore(
  disks: readonly DiskArgument[],
  { introspected, map }: Pick<LabelledImage, 'introspected' | 'map'>,
): readonly DiskToStore[] {
  const isAnyUnnamed = disks.some(({ name }) => name === undefined);
  const names =
    isAnyUnnamed && introspected.found
      ? diskNames(findFilePlaces(introspected.kernel, map.labels))
      : [];
  const { name: only } = nameForUnnamed(disks, names);
  return disks.map(({ name, path }, index) => ({
    name: name ?? only ?? `disk${index + 1}`,
    path,
    sourcePath: resolve(path),
    sourceFormat: 'raw',
  }));
}

export interface UploadDisks {
  /** Whose bytes are compared with the page cache. */
  readonly compared: readonly DiskArgument[];
  readonly stored: readonly DiskToStore[];
}

/** Captured disks have the VM's names; those that pages are compared with get the guest's, by which a restore finds them. */
export async function capturedDisks(
  disks: readonly DiskToStore[],
  { introspected, map, memory }: LabelledImage,
  isCompared: boolean,
  signal: AbortSignal,
): Promise<UploadDisks> {
  if (!isCompared || !introspected.found || disks.length === 0) {
    return { compared: [], stored: disks };
  }
  const places = findFilePlaces(introspected.kernel, map.labels);
  const paths = disks.map(({ path }) => path);
  const names = await identifyDisks({ memory, places, paths, signal });
  return {
    compared: disks.flatMap(({ path }, index) =>
      names[index] === undefined ? [] : [{ name: names[index], path }],
    ),
    stored: withNames(disks, names),
  };
}

/** A name that the guest has for one disk may be the VM's own of another, which gives way then. */
export function withNames(
  disks: readonly DiskToStore[],
  names: readonly (string | undefined)[],
): readonly DiskToStore[] {
  const taken = new Set(names.filter((name) => name !== undefined));
  return disks.map((disk, index) => {
    let name = names[index];
    for (let number = 1; name === undefined; number++) {
      const own = number === 1 ? disk.name : `disk${index + 1}-${number}`;
      name = taken.has(own) ? undefined : own;
    }
    taken.add(name);
    return { ...disk, name };
  });
}

/** What storing a disk would take. */
export interface PlannedDisk {
  readonly name: string;
  readonly sizeBytes: number;
  /** Bytes on all disks together, before compression and pages of zeroes outside of holes. */
  readonly plannedBytes: number;
}

export function planDisks(disks: readonly DiskToStore[], policy: Policy): readonly PlannedDisk[] {
  const opened = openDisksToStore(disks);
  try {
    const redundancy = typeof policy.disk === 'number' ? copies(policy.disk) : policy.disk;
    return opened.map((disk) => ({
      name: disk.disk.name,
      sizeBytes: disk.sizeBytes,
      plannedBytes: plannedBytes(redundancy, plannedDiskBytes(disk.plan(policy.disk))),
    }));
  } finally {
    closeDisksToStore(opened);
  }
}

/** What storing a disk took. */
export interface StoredDiskSize {
  readonly name: string;
  readonly sizeBytes: number;
  /** Bytes on all disks together. */
  readonly storedBytes: number;
}

export function storedDiskSizes(manifest: Manifest): readonly StoredDiskSize[] {
  return disksOf(manifest).map((space) => ({
    name: space.disk.name,
    sizeBytes: space.disk.sizeBytes,
    storedBytes: storedSaving(
      [...usedPacks(manifest.frames, [space])].map((pack) => manifest.header.packs[pack]),
    ).chosenBytes,
  }));
}

/** The packs that hold RAM. */
export function packsOfRam(manifest: Manifest): readonly PackEntry[] {
  const ofDisks = usedPacks(manifest.frames, disksOf(manifest));
  return manifest.header.packs.filter((_, pack) => !ofDisks.has(pack));
}
