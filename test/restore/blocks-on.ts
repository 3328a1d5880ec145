// Blocks of whole copies, for tests that say only on which nodes.

import type { BlockPlaces } from '../../src/store/block-state.js';

/** A block for each list of nodes. */
export function blocksOn(...blocks: readonly (readonly string[])[]): readonly BlockPlaces[] {
  return blocks.map((locations) => ({ locations, unreachable: [] }));
}
