// The blocks of a file, as a read of a range needs them.

import { ParsError } from '../../../introspect/pars-error.js';
import { blockState, neededCount } from '../block-state.js';
import type { StoredBlock } from '../store.js';

/** Throws `corrupt` for a range past the end. */
export function checkRangeOfBlocks(
  path: string,
  blocks: readonly StoredBlock[],
  offsetBytes: number,
  sizeBytes: number,
): void {
  const fileSizeBytes = sizeOf(blocks);
  if (fileSizeBytes >= offsetBytes + sizeBytes) {
    return;
  }
  throw new ParsError(
    'corrupt',
    `${path}: expected ${sizeBytes} bytes from offset ${offsetBytes}, but the file has only ${fileSizeBytes}`,
  );
}

/** Whether all bytes of the range are there, and each of its blocks can be read. */
export function isRangeHeld(
  blocks: readonly StoredBlock[],
  offsetBytes: number,
  sizeBytes: number,
): boolean {
  return (
    sizeOf(blocks) >= offsetBytes + sizeBytes &&
    overlapping(blocks, offsetBytes, sizeBytes).every(isReadable)
  );
}

/** The error for a block that is lost. */
export function lostBlock(path: string, block: StoredBlock, cause?: unknown): ParsError {
  const found =
    block.locations.length === 0
      ? 'has no live copy in HDFS'
      : `has ${block.locations.length} live units in HDFS, and needs ${neededCount(block)}`;
  return new ParsError(
    'data-lost',
    `${path}: the block at offset ${block.offsetBytes} (${block.sizeBytes} bytes) ${found}; ` +
      `it comes back only with a DataNode that held one`,
    { cause },
  );
}

/** The blocks that have bytes of the range. */
export function overlapping<Block extends StoredBlock>(
  blocks: readonly Block[],
  offsetBytes: number,
  sizeBytes: number,
): readonly Block[] {
  return blocks.filter(
    (block) =>
      block.offsetBytes < offsetBytes + sizeBytes &&
      block.offsetBytes + block.sizeBytes > offsetBytes,
  );
}

export function isReadable(block: StoredBlock): boolean {
  return blockState(block) === 'readable';
}

function sizeOf(blocks: readonly StoredBlock[]): number {
  return blocks.reduce((sizeBytes, block) => sizeBytes + block.sizeBytes, 0);
}
