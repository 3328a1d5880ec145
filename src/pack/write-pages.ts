// Decoded pages into an image file, each at its own place: page i of window w begins at byte (w * 64 + i) * 4096.
// Positioned writes of whole runs, so several threads can fill one file, and pages of zeroes stay holes.
import { writeSync } from 'node:fs';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { diskError } from '../host/disk-error.js';
import { decodeStoredFrames } from './decode.js';
import { windowSizeBytes } from './layout.js';
import { maskHas } from './mask.js';
import { type PlaceColumns, type StoredFrames, windowPageCount } from './types.js';

/**
 * Decodes frames and writes their pages to the open file `fd`, wherever `places` says; by index of the frame, ascending.
 * Returns the number of pages written. Throws as `decodeStoredFrames` does, `no-space` when the disk is full, and what
 * `diskError` says of other failures. Frames before the one that failed have been written.
 */
export function writeStoredFrames(stored: StoredFrames, places: PlaceColumns, fd: number): number {
  let pageCount = 0;
  let frameIndex = 0;
  let place = 0;
  for (const { pages } of decodeStoredFrames(stored)) {
    for (; places.frame[place] === frameIndex; place++) {
      pageCount += writePlace(fd, pages, places, place);
    }
    frameIndex++;
  }
  return pageCount;
}

function writePlace(fd: number, pages: Uint8Array, places: PlaceColumns, place: number): number {
  const low = places.maskLow[place];
  const high = places.maskHigh[place];
  const windowAt = places.window[place] * windowSizeBytes;
  const firstSlot = places.slot[place];
  let slot = firstSlot;
  let bit = 0;
  while (bit < windowPageCount) {
    if (!maskHas(low, high, bit)) {
      bit++;
      continue;
    }
    const first = bit;
    while (bit < windowPageCount && maskHas(low, high, bit)) {
      bit++;
    }
    const run = pages.subarray(slot * pageSizeBytes, (slot + bit - first) * pageSizeBytes);
    writeFully(fd, run, windowAt + first * pageSizeBytes);
    slot += bit - first;
  }
  return slot - firstSlot;
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
