// Cuts a plan into packs: which pages of which windows go into which file. Sizes are worst cases, all pages raw, because
// nothing has been read yet; packs come out smaller where pages are zero or shrink.
import { pageSizeBytes, type PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import {
  frameHeaderSizeBytes,
  maxFrameSizeBytes,
  maxPackSizeBytes,
  packHeaderSizeBytes,
} from '../pack/layout.js';
import { lowBits, maskPageCount } from '../pack/mask.js';
import { type FrameRequests, type PackRequest, windowPageCount } from '../pack/types.js';
import type { ReplicationPlan } from './replication-plan.js';

export interface PackPlanOptions {
  /** Bytes of frames that a pack may hold at most (pack/layout.ts packContentBytes). */
  readonly packContentBytes: number;
  /** Which of the space's pages are stored in the image: the others are zero, and go into no frame. */
  readonly storedAt?: PhysicalMemory['storedAt'] | undefined;
}

/** The pages of one replication, indexed by window. */
interface WindowMasks {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/**
 * Every page of the plan that is stored at all, and not known to be zero, in exactly one frame. Packs come by replication, then by window, both ascending. Throws `usage`
 * when a pack cannot hold even one whole window, or would be larger than readers take.
 */
export function planPacks(
  plan: ReplicationPlan,
  { packContentBytes, storedAt }: PackPlanOptions,
): readonly PackRequest[] {
  if (packContentBytes < maxFrameSizeBytes) {
    throw new ParsError(
      'usage',
      `a pack must hold at least one frame of ${maxFrameSizeBytes} bytes, found room for ${packContentBytes}; ` +
        'choose a larger block size',
    );
  }
  const limitBytes = maxPackSizeBytes - packHeaderSizeBytes;
  if (packContentBytes > limitBytes) {
    throw new ParsError(
      'usage',
      `a pack may hold at most ${limitBytes} bytes of frames, found room for ${packContentBytes}; ` +
        'choose a smaller block size',
    );
  }
  const windowCount = Math.ceil(plan.pageCount / windowPageCount);
  const masks = new Map<number, WindowMasks>();
  for (const replication of new Set(plan.replication)) {
    if (replication === 0) {
      continue;
    }
    masks.set(replication, {
      low: new Uint32Array(windowCount),
      high: new Uint32Array(windowCount),
    });
  }
  const stored = new StoredPages(storedAt);
  let current = -1;
  let currentMasks: WindowMasks | undefined;
  for (let run = 0; run < plan.firstPage.length; run++) {
    if (plan.replication[run] !== current) {
      current = plan.replication[run];
      currentMasks = masks.get(current);
    }
    if (currentMasks !== undefined) {
      const endPage = plan.firstPage[run] + plan.runPageCount[run];
      for (const part of stored.within(plan.firstPage[run], endPage)) {
        markPages(currentMasks, part.firstPage, part.endPage - part.firstPage);
      }
    }
  }
  return [...masks.keys()]
    .sort((a, b) => a - b)
    .flatMap((replication) => {
      const found = masks.get(replication);
      return found === undefined
        ? []
        : splitIntoPacks(replication, framesOf(found), packContentBytes);
    });
}

interface PageRange {
  readonly firstPage: number;
  readonly endPage: number;
}

/** Asked in ascending order, so that every extent is looked for once. */
class StoredPages {
  readonly #storedAt: PackPlanOptions['storedAt'];
  /** The next pages that are stored from `#from` on; undefined when none are left. */
  #next: PageRange | undefined;
  #from: number | undefined;

  constructor(storedAt: PackPlanOptions['storedAt']) {
    this.#storedAt = storedAt;
  }

  *within(firstPage: number, endPage: number): Generator<PageRange> {
    if (this.#storedAt === undefined) {
      yield { firstPage, endPage };
      return;
    }
    for (let page = firstPage; page < endPage;) {
      const next = this.#nextFrom(page);
      if (next === undefined || next.firstPage >= endPage) {
        return;
      }
      const part = {
        firstPage: Math.max(page, next.firstPage),
        endPage: Math.min(endPage, next.endPage),
      };
      yield part;
      page = part.endPage;
    }
  }

  #nextFrom(page: number): PageRange | undefined {
    const isKnown =
      this.#from !== undefined && (this.#next === undefined || page < this.#next.endPage);
    if (!isKnown) {
      const extent = this.#storedAt?.(page * pageSizeBytes);
      this.#from = page;
      this.#next = extent && {
        firstPage: extent.startOffset / pageSizeBytes,
        endPage: extent.endOffset / pageSizeBytes,
      };
    }
    return this.#next;
  }
}

/** Sets the bits of `pageCount` pages from `firstPage`, 32 at a time. */
function markPages({ low, high }: WindowMasks, firstPage: number, pageCount: number): void {
  const end = firstPage + pageCount;
  let page = firstPage;
  while (page < end) {
    const bit = page & 31;
    const bitCount = Math.min(32 - bit, end - page);
    const half = (page & 32) === 0 ? low : high;
    half[Math.floor(page / windowPageCount)] |= lowBits(bitCount) << bit;
    page += bitCount;
  }
}

function framesOf({ low, high }: WindowMasks): FrameRequests {
  let frameCount = 0;
  for (let window = 0; window < low.length; window++) {
    if ((low[window] | high[window]) !== 0) {
      frameCount++;
    }
  }
  const window = new Uint32Array(frameCount);
  const maskLow = new Uint32Array(frameCount);
  const maskHigh = new Uint32Array(frameCount);
  let frame = 0;
  for (let index = 0; index < low.length; index++) {
    if ((low[index] | high[index]) === 0) {
      continue;
    }
    window[frame] = index;
    maskLow[frame] = low[index];
    maskHigh[frame] = high[index];
    frame++;
  }
  return { window, maskLow, maskHigh };
}

/** Fills packs in order; the packs' columns are views of `frames`. */
function splitIntoPacks(
  replication: number,
  frames: FrameRequests,
  packContentBytes: number,
): readonly PackRequest[] {
  const packs: PackRequest[] = [];
  let first = 0;
  let sizeBytes = 0;
  const cut = (end: number) => {
    packs.push({
      replication,
      frames: {
        window: frames.window.subarray(first, end),
        maskLow: frames.maskLow.subarray(first, end),
        maskHigh: frames.maskHigh.subarray(first, end),
      },
    });
    first = end;
    sizeBytes = 0;
  };
  for (let frame = 0; frame < frames.window.length; frame++) {
    const pageCount = maskPageCount(frames.maskLow[frame], frames.maskHigh[frame]);
    const frameSizeBytes = frameHeaderSizeBytes + pageCount * pageSizeBytes;
    if (sizeBytes + frameSizeBytes > packContentBytes) {
      cut(frame);
    }
    sizeBytes += frameSizeBytes;
  }
  if (sizeBytes > 0) {
    cut(frames.window.length);
  }
  return packs;
}
