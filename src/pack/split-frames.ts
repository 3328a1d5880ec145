// Frames cut into batches that are made at a time.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { maskPageCount } from './mask.js';
import type { FrameRequests } from './types.js';

/** Batches of `batchSizeBytes` of pages or more, up to a window more; the columns are copies. */
export function splitFrames(
  { window, maskLow, maskHigh }: FrameRequests,
  batchSizeBytes: number,
): readonly FrameRequests[] {
  const batches: FrameRequests[] = [];
  let first = 0;
  let sizeBytes = 0;
  const cut = (end: number): void => {
    batches.push({
      window: window.slice(first, end),
      maskLow: maskLow.slice(first, end),
      maskHigh: maskHigh.slice(first, end),
    });
    first = end;
    sizeBytes = 0;
  };
  for (let frame = 0; frame < window.length; frame++) {
    sizeBytes += maskPageCount(maskLow[frame], maskHigh[frame]) * pageSizeBytes;
    if (sizeBytes >= batchSizeBytes) {
      cut(frame + 1);
    }
  }
  if (first < window.length) {
    cut(window.length);
  }
  return batches;
}
