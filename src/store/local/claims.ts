// Claims in a store of local disks: empty files that say who is at work (claimsFolder of store.ts).

import { claimsFolder } from '../store.js';
import type { Disk } from './disk.js';
import { childNames } from './name-tree.js';

/** Whether anybody claims to be at work on one of `disks`; also where that cannot be told. */
export async function hasClaim(disks: readonly Disk[]): Promise<boolean> {
  try {
    for (const disk of disks) {
      if ((await childNames(disk, claimsFolder)).length > 0) return true;
    }
    return false;
  } catch {
    return true;
  }
}
