// What the places of a block's copies mean: whether its bytes can be had, and how many places it can do without. Pure.

import { smallestOf } from '../flow/largest.js';
import type { StoredBlock } from './store.js';

export type BlockPlaces = Pick<StoredBlock, 'locations' | 'unreachable' | 'coding'>;

/** `lost`: the store knows that too little of it is alive. `unreachable`: it may be whole where this machine cannot look. */
export type BlockState = 'readable' | 'unreachable' | 'lost';

/** How many of its places are needed to read it. Of a code that is not known, all that there are: that is safe to say. */
export function neededCount({ locations, coding }: BlockPlaces): number {
  if (coding === undefined) {
    return 1;
  }
  return coding === 'unknown' ? Math.max(1, locations.length) : coding.dataUnitCount;
}

/** How many places it is to have in a file with that replication, which says nothing where blocks are coded. */
export function wantedCount(block: BlockPlaces, replication: number): number {
  const { coding } = block;
  if (coding === undefined) {
    return replication;
  }
  return coding === 'unknown' ? neededCount(block) : coding.dataUnitCount + coding.parityUnitCount;
}

export function blockState(block: BlockPlaces): BlockState {
  const missingCount = neededCount(block) - block.locations.length;
  if (missingCount <= 0) {
    return 'readable';
  }
  return block.unreachable.length >= missingCount ? 'unreachable' : 'lost';
}

/** The state of a whole file: no part of one is of use without the others. */
export function stateOfBlocks(blocks: readonly BlockPlaces[]): BlockState {
  const states = blocks.map(blockState);
  return (
    states.find((state) => state === 'lost') ??
    states.find((state) => state !== 'readable') ??
    'readable'
  );
}

export interface FewestPlaces {
  /** Live copies of the scarcest block, or units where it is coded; `wanted` counts the same. */
  readonly found: number;
  readonly wanted: number;
  /** Set where the places are of units of a code: so many are needed to read the block. */
  readonly neededUnitCount?: number;
}

/** A file that has fewer places than it is to have. */
export interface UnderReplicated extends FewestPlaces {
  readonly name: string;
}

/** How many places the scarcest block has, and how many it is to have. An empty file has no block, and lacks nothing. */
export function fewestPlaces(blocks: readonly BlockPlaces[], replication: number): FewestPlaces {
  const short = smallestOf(
    blocks.map((block) => block.locations.length - wantedCount(block, replication)),
  );
  const scarcest = blocks.find(
    (block) => block.locations.length - wantedCount(block, replication) === short,
  );
  if (scarcest === undefined) {
    return { found: replication, wanted: replication };
  }
  return {
    found: scarcest.locations.length,
    wanted: wantedCount(scarcest, replication),
    ...(scarcest.coding === undefined ? {} : { neededUnitCount: neededCount(scarcest) }),
  };
}
