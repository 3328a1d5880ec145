// How many different pages there are, from 64 bits of each page's hash. Exact as long as the hashes fit a table of fixed
// size; from then on an estimate by adaptive sampling (M. Wegman; analysed in P. Flajolet, "On adaptive sampling",
// Computing 43, 1990): whenever the table is full, half of all possible hashes are dropped from it and no longer taken
// in, and what is left stands for twice as many.

/** Exact up to 4 GiB of different pages; the table takes 16 MiB, and is half full at most. */
const defaultCapacity = 2 ** 20;
const slotsPerEntry = 2;

export interface UniqueCount {
  readonly pageCount: number;
  /** Standard error as a fraction of the count; 0: the count is exact. */
  readonly errorFraction: number;
}

export class UniquePages {
  readonly #capacity: number;
  readonly #slotMask: number;
  /** Halves of the hashes, by slot; both zero: free. */
  #low: Uint32Array;
  #high: Uint32Array;
  #entryCount = 0;
  /** A hash is taken in when these bits of its high half are zero. */
  #sampleMask = 0;
  /** What each hash in the table stands for. */
  #weight = 1;

  /** `capacity` is a power of two. */
  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
    const slotCount = capacity * slotsPerEntry;
    this.#slotMask = slotCount - 1;
    this.#low = new Uint32Array(slotCount);
    this.#high = new Uint32Array(slotCount);
  }

  /** Two pages count as one when both halves of their hashes are the same. */
  add(low: number, high: number): void {
    if ((high & this.#sampleMask) !== 0) {
      return;
    }
    // The one hash that would look like a free slot is counted as its neighbour.
    if (!this.#insert(low === 0 && high === 0 ? 1 : low, high)) {
      return;
    }
    this.#entryCount++;
    while (this.#entryCount > this.#capacity) {
      this.#sampleLess();
    }
  }

  count(): UniqueCount {
    return {
      pageCount: this.#entryCount * this.#weight,
      errorFraction: this.#weight === 1 ? 0 : 1.2 / Math.sqrt(this.#capacity),
    };
  }

  /** False when it was there already. */
  #insert(low: number, high: number): boolean {
    let slot = low & this.#slotMask;
    while (this.#low[slot] !== 0 || this.#high[slot] !== 0) {
      if (this.#low[slot] === low && this.#high[slot] === high) {
        return false;
      }
      slot = (slot + 1) & this.#slotMask;
    }
    this.#low[slot] = low;
    this.#high[slot] = high;
    return true;
  }

  #sampleLess(): void {
    const lows = this.#low;
    const highs = this.#high;
    this.#sampleMask = this.#sampleMask * 2 + 1;
    this.#weight *= 2;
    this.#low = new Uint32Array(lows.length);
    this.#high = new Uint32Array(highs.length);
    this.#entryCount = 0;
    for (let slot = 0; slot < lows.length; slot++) {
      const isFree = lows[slot] === 0 && highs[slot] === 0;
      if (isFree || (highs[slot] & this.#sampleMask) !== 0) {
        continue;
      }
      this.#insert(lows[slot], highs[slot]);
      this.#entryCount++;
    }
  }
}
