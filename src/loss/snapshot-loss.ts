// What of a snapshot cannot be had back, when frames are gone: in RAM and on each disk. Pure.
import { disksOf, ramOf } from '../manifest/space/spaces.js';
import type { AddressSpace } from '../manifest/types.js';
import type { LostFrames } from './loss-reason.js';
import { type LostRun, lostRuns, notStoredRuns } from './lost-pages.js';

export interface SnapshotLoss {
  /** Lost runs of RAM; empty when all is there. */
  readonly lost: readonly LostRun[];
  /** The disks that lost anything. */
  readonly lostOnDisks: readonly DiskLoss[];
}

/** Blocks of a disk that are gone: nothing heals them. */
export interface DiskLoss {
  readonly name: string;
  /** By page of the disk. */
  readonly lost: readonly LostRun[];
}

/** What is lost of the pages that were stored, for these spaces. */
export function storedLoss(spaces: readonly AddressSpace[], lostFrames: LostFrames): SnapshotLoss {
  const ram = ramOf({ spaces });
  return {
    lost: ram === undefined ? [] : lostRuns(ram, lostFrames),
    lostOnDisks: disksOf({ spaces }).flatMap((space) => {
      const lost = lostRuns(space, lostFrames);
      return lost.length === 0 ? [] : [{ name: space.disk.name, lost }];
    }),
  };
}

/** What a restore of these spaces lacks: that, and the pages that the policy left out. */
export function restoreLoss(spaces: readonly AddressSpace[], lostFrames: LostFrames): SnapshotLoss {
  const { lost, lostOnDisks } = storedLoss(spaces, lostFrames);
  const ram = ramOf({ spaces });
  const notStored = ram === undefined ? [] : notStoredRuns(ram);
  // Both ascend, and have no page in common.
  const all =
    notStored.length === 0
      ? lost
      : [...lost, ...notStored].sort((a, b) => a.firstPage - b.firstPage);
  return { lost: all, lostOnDisks };
}
