// Decoded pages into an image file, each at its own place: page i of window w begins at byte (w * 64 + i) * 4096.
// Positioned writes of whole runs, so several threads can fill one file, and pages of zeroes stay holes.
import { writeSync } from 'node:fs';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { diskError } from '../flow/disk-error.js';
import { decodeStoredFrames, type Frame } from './decode.js';
import { windowSizeBytes } from './layout.js';
import { maskHas } from './mask.js';
import { type StoredFrames, windowPageCount } from './types.js';

/**
 * Decodes frames and writes their pages to the open file `fd`; returns the number of pages written. Throws as
 * `decodeStoredFrames` does, `no-space` when the disk is full, and what `diskError` says of other failures. Frames
 * before the one that failed have been written.
 */
export function writeStoredFrames(stored: StoredFrames, fd: number): number {
  let pageCount = 0;
  for (const frame of decodeStoredFrames(stored)) {
    writeFramePages(fd, frame);
    pageCount += frame.pages.length / pageSizeBytes;
  }
  return pageCount;
}

function writeFramePages(fd: number, frame: Frame): void {
  const windowAt = frame.window * windowSizeBytes;
  let slot = 0;
  let bit = 0;
  while (bit < windowPageCount) {
    if (!maskHas(frame.maskLow, frame.maskHigh, bit)) {
      bit++;
      continue;
    }
    const first = bit;
    while (bit < windowPageCount && maskHas(frame.maskLow, frame.maskHigh, bit)) bit++;
    const pages = frame.pages.subarray(slot * pageSizeBytes, (slot + bit - first) * pageSizeBytes);
    writeFully(fd, pages, windowAt + first * pageSizeBytes);
    slot += bit - first;
  }
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done, position + done);
    } catch (error) {
      throw diskError(error, `cannot write ${bytes.length} bytes at byte ${position} of the image`);
    }
  }
}
