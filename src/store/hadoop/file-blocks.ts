// The blocks of a file, as a read of a range needs them.

import { ParsError } from '../../../introspect/pars-error.js';
import { blockState, neededCount } from '../block-state.js';
import { answerMemory } from '../check-range.js';
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

/**
 * The bytes of a range, which `blocks` hold: never across a block boundary, because a lost block may be next. `readPiece` fills
 * `target` from `fromBytes` of the file on; the first bytes of `into` are used, where it is given. Throws `data-lost` before it reads anything when one of the blocks is lost.
 */
export async function readByBlock<Block extends StoredBlock>(
  path: string,
  blocks: readonly Block[],
  offsetBytes: number,
  sizeBytes: number,
  into: Uint8Array | undefined,
  readPiece: (block: Block, fromBytes: number, target: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  const wanted = overlapping(blocks, offsetBytes, sizeBytes);
  const lost = wanted.find((block) => !isReadable(block));
  if (lost) {
    throw lostBlock(path, lost);
  }
  // Its length has been checked against the file's, and every byte of it is filled below.
  const bytes = answerMemory(path, sizeBytes, into);
  for (const block of wanted) {
    const from = Math.max(offsetBytes, block.offsetBytes);
    const to = Math.min(offsetBytes + sizeBytes, block.offsetBytes + block.sizeBytes);
    await readPiece(block, from, bytes.subarray(from - offsetBytes, to - offsetBytes));
  }
  return bytes;
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
function overlapping<Block extends StoredBlock>(
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
