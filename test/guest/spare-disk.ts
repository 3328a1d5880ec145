// The disk that a guest writes its bulky answers to: two records of page frames one
// after the other, each of two accounts, then its symbols. Raw, no file system; sparse, so what is not
// written costs nothing.

import { closeSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs';

const MIB = 1 << 20;

/** Behind two records of two accounts of 32 GiB of guest-physical addresses. */
export const KALLSYMS_AT_MIB = 272;
const SIZE_MIB = 336;
/** What is written at a time, by page-reader.c and by dd in commands.sh. */
export const BLOCK_SIZE_BYTES = 256 << 10;

export function makeSpareDisk(path: string): void {
  writeFileSync(path, '');
  truncateSync(path, SIZE_MIB * MIB);
}

export function readSpareDisk(path: string, offsetBytes: number, sizeBytes: number): Buffer {
  if (!Number.isInteger(sizeBytes) || sizeBytes < 1 || offsetBytes + sizeBytes > SIZE_MIB * MIB) {
    throw new RangeError(
      `expected a piece within ${SIZE_MIB} MiB, found ${sizeBytes} bytes at ${offsetBytes}`,
    );
  }
  const bytes = Buffer.alloc(sizeBytes);
  const file = openSync(path, 'r');
  try {
    const readBytes = readSync(file, bytes, 0, sizeBytes, offsetBytes);
    if (readBytes !== sizeBytes) {
      throw new Error(
        `expected ${sizeBytes} bytes at ${offsetBytes} of ${path}, found ${readBytes}`,
      );
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}
