// Claims in a store of local disks: empty files that say who is at work (claimsFolder of store.ts). They are renamed every
// few seconds and hold nothing. So what became of one needs no proof, which would be a file for each renewal while a disk is
// away; and one that a disk has alone is dropped, as given back it would say that somebody is at work.

import { claimsFolder } from '../../store.js';
import type { Disk } from '../disks/disk.js';
import { childNames } from './name-tree.js';

export function isClaim(name: string): boolean {
  return name.startsWith(`${claimsFolder}/`);
}

/** Whether anybody claims to be at work on one of `disks`; also where that cannot be told. */
export async function hasClaim(disks: readonly Disk[]): Promise<boolean> {
  try {
    for (const disk of disks) {
      if ((await childNames(disk, claimsFolder)).length > 0) {
        return true;
      }
    }
    return false;
  } catch {
    return true;
  }
}
