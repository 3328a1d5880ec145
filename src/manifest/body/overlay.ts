// One set of labels or places laid over another: what the upper one says counts, and the lower one elsewhere. Both ascend, so
// one pass over both is enough.
import { lowBits, maskRank } from '../../pack/mask.js';
import { type PlaceColumns, windowPageCount } from '../../pack/types.js';
import type { LabelRuns } from '../types.js';
import { type ChangedLabels, noFrame } from './types.js';

/** `lower` covers every page, and so does the result; runs of one label that meet are one. */
export function overlayLabels(lower: LabelRuns, upper: ChangedLabels): LabelRuns {
  const runs = new RunBuilder(lower.label.length + 2 * upper.label.length);
  const lastRun = lower.label.length - 1;
  const pageCount = lastRun < 0 ? 0 : lower.firstPage[lastRun] + lower.pageCount[lastRun];
  let at = 0;
  let page = 0;
  const takeLowerUntil = (end: number): void => {
    while (page < end) {
      while (lower.firstPage[at] + lower.pageCount[at] <= page) {
        at++;
      }
      const runEnd = Math.min(end, lower.firstPage[at] + lower.pageCount[at]);
      runs.add(page, runEnd - page, lower.label[at]);
      page = runEnd;
    }
  };
  for (let run = 0; run < upper.label.length; run++) {
    takeLowerUntil(upper.firstPage[run]);
    runs.add(page, upper.pageCount[run], upper.label[run]);
    page += upper.pageCount[run];
  }
  takeLowerUntil(pageCount);
  return runs.columns();
}

/** Two sets of changes as one; the upper is the later. */
export function overlayChanges(lower: ChangedLabels, upper: ChangedLabels): ChangedLabels {
  const runs = new RunBuilder(2 * (lower.label.length + upper.label.length) + 1);
  let at = 0;
  /** Pages of the lower run at `at` that stand before this one are dealt with. */
  let from = 0;
  const takeLowerUntil = (end: number): void => {
    for (; at < lower.label.length; at++) {
      const start = Math.max(from, lower.firstPage[at]);
      const runEnd = lower.firstPage[at] + lower.pageCount[at];
      if (start >= end) {
        return;
      }
      if (runEnd > start) {
        runs.add(start, Math.min(end, runEnd) - start, lower.label[at]);
      }
      from = Math.max(from, Math.min(end, runEnd));
      if (runEnd > end) {
        return;
      }
    }
  };
  for (let run = 0; run < upper.label.length; run++) {
    takeLowerUntil(upper.firstPage[run]);
    runs.add(upper.firstPage[run], upper.pageCount[run], upper.label[run]);
    from = upper.firstPage[run] + upper.pageCount[run];
  }
  takeLowerUntil(Infinity);
  return runs.columns();
}

class RunBuilder {
  readonly #firstPage: Uint32Array;
  readonly #pageCount: Uint32Array;
  readonly #label: Uint8Array;
  #count = 0;

  constructor(most: number) {
    this.#firstPage = new Uint32Array(most);
    this.#pageCount = new Uint32Array(most);
    this.#label = new Uint8Array(most);
  }

  add(firstPage: number, pageCount: number, label: number): void {
    const last = this.#count - 1;
    const joins =
      last >= 0 &&
      this.#label[last] === label &&
      this.#firstPage[last] + this.#pageCount[last] === firstPage;
    if (joins) {
      this.#pageCount[last] += pageCount;
      return;
    }
    this.#firstPage[this.#count] = firstPage;
    this.#pageCount[this.#count] = pageCount;
    this.#label[this.#count] = label;
    this.#count++;
  }

  columns(): LabelRuns {
    return {
      firstPage: this.#firstPage.slice(0, this.#count),
      pageCount: this.#pageCount.slice(0, this.#count),
      label: this.#label.slice(0, this.#count),
    };
  }
}

/**
 * `frame` columns of both count in the same table. `keepsNone`: pages that the upper one takes out of all frames stay named, as
 * for a set of changes; else they are in no place.
 */
export function overlayPlaces(
  lower: PlaceColumns,
  upper: PlaceColumns,
  { keepsNone }: { readonly keepsNone: boolean },
): PlaceColumns {
  const places = new PlaceBuilder(lower.window.length + upper.window.length);
  let below = 0;
  const takeLowerUntil = (window: number): void => {
    const first = below;
    while (below < lower.window.length && lower.window[below] < window) {
      below++;
    }
    places.copy(lower, first, below);
  };
  for (let above = 0; above < upper.window.length;) {
    const window = upper.window[above];
    takeLowerUntil(window);
    let end = above;
    let hiddenLow = 0;
    let hiddenHigh = 0;
    for (; upper.window[end] === window; end++) {
      hiddenLow |= upper.maskLow[end];
      hiddenHigh |= upper.maskHigh[end];
    }
    for (; lower.window[below] === window; below++) {
      places.addVisible(lower, below, hiddenLow, hiddenHigh);
    }
    for (; above < end; above++) {
      if (keepsNone || upper.frame[above] !== noFrame) {
        places.copy(upper, above, above + 1);
      }
    }
  }
  takeLowerUntil(Infinity);
  return places.columns();
}

/** To set up a copy of whole columns costs as much as so many places one by one. */
const fewPlaces = 64;

class PlaceBuilder {
  #window: Uint32Array;
  #maskLow: Uint32Array;
  #maskHigh: Uint32Array;
  #frame: Uint32Array;
  #slot: Uint8Array;
  #count = 0;

  constructor(expected: number) {
    this.#window = new Uint32Array(expected);
    this.#maskLow = new Uint32Array(expected);
    this.#maskHigh = new Uint32Array(expected);
    this.#frame = new Uint32Array(expected);
    this.#slot = new Uint8Array(expected);
  }

  copy(from: PlaceColumns, first: number, end: number): void {
    this.#makeRoom(end - first);
    if (end - first < fewPlaces) {
      const [window, maskLow, maskHigh] = [this.#window, this.#maskLow, this.#maskHigh];
      const [frame, slot] = [this.#frame, this.#slot];
      let to = this.#count;
      for (let place = first; place < end; place++, to++) {
        window[to] = from.window[place];
        maskLow[to] = from.maskLow[place];
        maskHigh[to] = from.maskHigh[place];
        frame[to] = from.frame[place];
        slot[to] = from.slot[place];
      }
      this.#count = to;
      return;
    }
    this.#window.set(from.window.subarray(first, end), this.#count);
    this.#maskLow.set(from.maskLow.subarray(first, end), this.#count);
    this.#maskHigh.set(from.maskHigh.subarray(first, end), this.#count);
    this.#frame.set(from.frame.subarray(first, end), this.#count);
    this.#slot.set(from.slot.subarray(first, end), this.#count);
    this.#count += end - first;
  }

  /** The pages of a place that are not hidden: still consecutive in its frame, as far as nothing between them is hidden. */
  addVisible(from: PlaceColumns, place: number, hiddenLow: number, hiddenHigh: number): void {
    const low = from.maskLow[place];
    const high = from.maskHigh[place];
    if (((low & hiddenLow) | (high & hiddenHigh)) === 0) {
      this.copy(from, place, place + 1);
      return;
    }
    const isNone = from.frame[place] === noFrame;
    let restLow = (low & ~hiddenLow) >>> 0;
    let restHigh = (high & ~hiddenHigh) >>> 0;
    while ((restLow | restHigh) !== 0) {
      const first = lowestBit(restLow, restHigh);
      const end = isNone ? windowPageCount : nextHidden(low & hiddenLow, high & hiddenHigh, first);
      const partLow = (restLow & below(end, 0)) >>> 0;
      const partHigh = (restHigh & below(end, 32)) >>> 0;
      this.#makeRoom(1);
      this.#window[this.#count] = from.window[place];
      this.#maskLow[this.#count] = partLow;
      this.#maskHigh[this.#count] = partHigh;
      this.#frame[this.#count] = from.frame[place];
      this.#slot[this.#count] = isNone ? 0 : from.slot[place] + maskRank(low, high, first);
      this.#count++;
      restLow = (restLow & ~partLow) >>> 0;
      restHigh = (restHigh & ~partHigh) >>> 0;
    }
  }

  columns(): PlaceColumns {
    return {
      window: this.#window.subarray(0, this.#count),
      maskLow: this.#maskLow.subarray(0, this.#count),
      maskHigh: this.#maskHigh.subarray(0, this.#count),
      frame: this.#frame.subarray(0, this.#count),
      slot: this.#slot.subarray(0, this.#count),
    };
  }

  #makeRoom(more: number): void {
    const needed = this.#count + more;
    if (needed <= this.#window.length) {
      return;
    }
    const size = Math.max(needed, 2 * this.#window.length);
    const grown = (column: Uint32Array): Uint32Array => {
      const larger = new Uint32Array(size);
      larger.set(column);
      return larger;
    };
    this.#window = grown(this.#window);
    this.#maskLow = grown(this.#maskLow);
    this.#maskHigh = grown(this.#maskHigh);
    this.#frame = grown(this.#frame);
    const slot = new Uint8Array(size);
    slot.set(this.#slot);
    this.#slot = slot;
  }
}

/** Index of the lowest bit that is set of 64, of which one is. */
function lowestBit(low: number, high: number): number {
  const half = low === 0 ? high : low;
  return (low === 0 ? 32 : 0) + 31 - Math.clz32(half & -half);
}

/** Index of the lowest bit that is set from `bit` on; 64 where none is. */
function nextHidden(low: number, high: number, bit: number): number {
  const restLow = low & ~below(bit, 0);
  const restHigh = high & ~below(bit, 32);
  return (restLow | restHigh) === 0 ? windowPageCount : lowestBit(restLow, restHigh);
}

/** The bits below `bit` of 64 among the 32 bits from `base` on. */
function below(bit: number, base: 0 | 32): number {
  return lowBits(Math.min(Math.max(bit - base, 0), 32));
}
