// The pages that frames name, read out of an image in the order in which a frame holds them: whole runs, one read each.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { windowSizeBytes } from './layout.js';
import { forEachRun, maskPageCount } from './mask.js';
import type { FrameRequests } from './types.js';

/** Bytes of all pages that the masks name. */
export function requestedSizeBytes({ window, maskLow, maskHigh }: FrameRequests): number {
  let pageCount = 0;
  for (let frame = 0; frame < window.length; frame++) {
    pageCount += maskPageCount(maskLow[frame], maskHigh[frame]);
  }
  return pageCount * pageSizeBytes;
}

/** Fills its second argument from an offset of the image, or throws. */
export type ReadImage = (imageOffset: number, target: Uint8Array) => void;

/** Fills `target`, of `requestedSizeBytes` bytes. */
export function readRequestedPages(
  frames: FrameRequests,
  target: Uint8Array,
  read: ReadImage,
): void {
  let to = 0;
  for (let frame = 0; frame < frames.window.length; frame++) {
    to += readFramePages(frames, frame, target.subarray(to), read);
  }
}

/** Fills the beginning of `target` with the pages of one frame, by index, and returns how many bytes they are. */
export function readFramePages(
  { window, maskLow, maskHigh }: FrameRequests,
  frame: number,
  target: Uint8Array,
  read: ReadImage,
): number {
  let to = 0;
  forEachRun(maskLow[frame], maskHigh[frame], (firstBit, pageCount) => {
    const runBytes = pageCount * pageSizeBytes;
    const imageOffset = window[frame] * windowSizeBytes + firstBit * pageSizeBytes;
    read(imageOffset, target.subarray(to, to + runBytes));
    to += runBytes;
  });
  return to;
}
