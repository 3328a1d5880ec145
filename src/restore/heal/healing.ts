// What became of the lost pages of RAM.
import type { UnhealedRun } from '../../loss/healing-outlook.js';

export interface Healing {
  /** Free pages that got what the kernel expects of them. */
  readonly filledPageCount: number;
  /** Pages of page cache that the guest will read again, and the folios they are in. */
  readonly rereadPageCount: number;
  readonly rereadFolioCount: number;
  /** Pages whose bytes were put back from a disk image. */
  readonly putBackPageCount: number;
  /** What remains lost: pages of no use but as they were, and those that turned out not to be healed. */
  readonly unhealed: readonly UnhealedRun[];
}

export const nothingHealed: Healing = {
  filledPageCount: 0,
  rereadPageCount: 0,
  rereadFolioCount: 0,
  putBackPageCount: 0,
  unhealed: [],
};
