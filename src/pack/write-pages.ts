// Decoded pages into an image file, each at its own place: page i of window w begins at byte (w * 64 + i) * 4096.
// Positioned writes of whole runs, so several threads can fill one file, and pages of zeroes stay holes.
import { writeSync } from 'node:fs';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { diskError } from '../host/disk-error.js';
import { decodeStoredFrames } from './decode.js';
import { windowSizeBytes } from './layout.js';
import { forEachRun } from './mask.js';
import type { PlaceColumns, StoredFrames } from './types.js';

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
  const windowAt = places.window[place] * windowSizeBytes;
  const firstSlot = places.slot[place];
  let slot = firstSlot;
  forEachRun(places.maskLow[place], places.maskHigh[place], (firstBit, pageCount) => {
    const run = pages.subarray(slot * pageSizeBytes, (slot + pageCount) * pageSizeBytes);
    writeFully(fd, run, windowAt + firstBit * pageSizeBytes);
    slot += pageCount;
  });
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
