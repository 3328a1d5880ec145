// Turns folders into a store's disks: all of them for a new store, single ones to replace what was lost. An empty
// folder may be the mount point of a disk that is not mounted now, and data written there would vanish under the mount;
// so mount points are initialised only when the caller asks for it.

import { largestOf } from '../../../flow/largest.js';
import type { Disk } from '../disks/disk.js';
import { initialiseDisk } from '../disks/disk.js';
import { noDiskError } from '../disks/no-disk.js';
import { translated } from '../node-error.js';
import type { LocalUrl } from '../url.js';
import { isBeingMade, makeReady, makeStore } from './make-store.js';
import { judgedDisks } from './membership.js';

export interface LocalStoreOptions {
  /** Make disks of the listed folders that are empty: for a new store, or to replace lost disks. */
  readonly initialiseDisks?: boolean;
  /** Throw where there is no store yet, rather than make one. For those who only read. */
  readonly mustExist?: boolean;
  /** Remove copies that no name refers to and that are a day old, as killed writers leave them. */
  readonly removeOrphans?: boolean;
}

/**
 * Returns the id of the store on the listed disks. Where no disk is there and none may be made, throws `unavailable` for listed
 * mount points and `not-found` for a folder; besides, what `judgedDisks` throws.
 */
export async function prepareDisks(
  url: LocalUrl,
  { initialiseDisks = false, mustExist = false }: LocalStoreOptions,
): Promise<string> {
  const found = await judgedDisks(url.diskFolders);
  if (!mustExist && (url.ownsFolders || initialiseDisks) && (await isBeingMade(url))) {
    return await makeStore(url);
  }
  // Read again: nobody is making it any more, so those that were being made are whole now.
  const { members, failure } =
    found.members === undefined ? found : await judgedDisks(url.diskFolders);
  if (members === undefined) {
    if (failure !== undefined) {
      throw failure;
    }
    if (mustExist || (!url.ownsFolders && !initialiseDisks)) {
      throw noDiskError(url);
    }
    return await makeStore(url);
  }
  const { present, current } = members;
  if (initialiseDisks) {
    await takeInEmptyFolders(url, present, current[0]);
  }
  return current[0].marker.storeId;
}

/** The new disks are behind every other, so the catch-up of this open gives them their names. */
async function takeInEmptyFolders(
  url: LocalUrl,
  disks: readonly Disk[],
  deciding: Disk,
): Promise<void> {
  const taken = new Set(disks.map((disk) => disk.folder));
  let diskNumber = largestOf(
    disks.flatMap(({ marker }) => [marker.maxDiskNumber, marker.diskNumber]),
  );
  for (const folder of url.diskFolders) {
    if (taken.has(folder)) {
      continue;
    }
    await makeReady(folder, url);
    diskNumber++;
    const marker = { ...deciding.marker, diskNumber, epoch: 0, leftBehind: {}, followers: {} };
    await translated(`making a disk in ${folder}`, () => initialiseDisk(folder, marker));
  }
}
