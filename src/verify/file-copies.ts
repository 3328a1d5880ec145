// Where a file of a snapshot is, and what is left of it.
import { smallestOf } from '../flow/largest.js';
import { type BlockPlaces, neededCount, stateOfBlocks, wantedCount } from '../store/block-state.js';
import type { ReedSolomon } from '../store/redundancy.js';

export interface FileCopies {
  readonly name: string;
  /** Copies asked for, or as many as the code is worth that was asked for. A folder with erasure coding takes no notice of it. */
  readonly replication: number;
  /** The code that was asked for; absent where copies were. */
  readonly code?: ReedSolomon | undefined;
  /** The places of each block. A file that is not what was written counts as a block without any. */
  readonly blocks: readonly BlockPlaces[];
}

/** A file that no page lies in. */
export interface FileBeside extends FileCopies {
  /** The role of an attachment, or `manifest`. */
  readonly role: string;
}

/** What a file counts as that is missing, or is not what was written. */
export const lostBlock: BlockPlaces = { locations: [], unreachable: [] };

/** Whether it cannot be read now, be it lost or only out of reach. */
export function isLost({ blocks }: FileCopies): boolean {
  return stateOfBlocks(blocks) !== 'readable';
}

export function isUnreachable({ blocks }: FileCopies): boolean {
  return stateOfBlocks(blocks) === 'unreachable';
}

/** One more than the nodes that it can lose now: the live copies of the scarcest block, or what units of a code are worth. */
export function liveCopyCount(file: FileCopies): number {
  return Math.min(
    wantedCopyCount(file),
    smallestOf(file.blocks.map((block) => block.locations.length - neededCount(block) + 1)),
  );
}

/** One more than the nodes that it could lose if every node were there. An empty file has no block, and nothing to lose. */
export function wantedCopyCount({ replication, blocks }: FileCopies): number {
  return blocks.length === 0
    ? replication
    : smallestOf(blocks.map((block) => wantedCount(block, replication) - neededCount(block) + 1));
}
