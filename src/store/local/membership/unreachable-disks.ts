// A disk that is not there: gone for good, or only not mounted? Nothing on the other disks tells. So it counts as gone only
// where it was a folder of the store's own, beside the others, and that folder is missing: nobody mounts it. A folder that
// is there without a disk in it is what an unmounted disk leaves, and a mount point of the other form of URL (url.ts) may
// itself lie on something that is not mounted.

import { lstat } from 'node:fs/promises';
import { isAbsent } from '../node-error.js';
import type { LocalUrl } from '../url.js';
import type { Membership } from './membership.js';

/** Which of the disks `diskNumbers` are not there and may come back, in words. */
export async function unreachableDisks(
  { diskFolders, ownsFolders }: LocalUrl,
  { present }: Membership,
  diskNumbers: readonly number[],
): Promise<readonly string[]> {
  const there = new Set(present.map(({ marker }) => marker.diskNumber));
  const missing = diskNumbers.filter((diskNumber) => !there.has(diskNumber));
  if (missing.length === 0) {
    return [];
  }
  const withoutDisk = diskFolders.filter(
    (folder) => !present.some((disk) => disk.folder === folder),
  );
  const isEach = await Promise.all(
    withoutDisk.map(async (folder) => !ownsFolders || !(await isMissing(folder))),
  );
  const suspects = withoutDisk.filter((_, index) => isEach[index]);
  // Unlisted: the URL names mount points, and may well lack one.
  if (suspects.length === 0 && ownsFolders) {
    return [];
  }
  const where =
    suspects.length === 0 ? 'at none of the folders listed' : `${suspects.join(' or ')} has none`;
  return missing.map((diskNumber) => `disk ${diskNumber} (${where})`);
}

async function isMissing(folder: string): Promise<boolean> {
  try {
    await lstat(folder);
    return false;
  } catch (error) {
    return isAbsent(error);
  }
}
