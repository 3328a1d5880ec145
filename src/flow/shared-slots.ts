// Memory that all threads see, in slots of one length that are used again and again. The number of slots bounds what is in flight:
// p-limit counts tasks, and a task may hold a page or a pack.

/** Bytes that a thread can be given without a copy. */
export type SharedBytes = Uint8Array<SharedArrayBuffer>;

export class SharedSlots {
  readonly sizeBytes: number;
  readonly #free: SharedBytes[] = [];
  readonly #waiting: ((slot: SharedBytes) => void)[] = [];
  /** Slots that may still be made: memory is taken when it is wanted. */
  #unmadeCount: number;

  constructor(count: number, sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    this.#unmadeCount = count;
  }

  /** Waits, first come first served, for a slot of `sizeBytes` bytes. What lies in it is left from before. */
  async take(): Promise<SharedBytes> {
    return this.tryTake() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
  }

  /**
   * A slot if there is one now. For who holds one already: holders that wait for each other would wait for ever.
   */
  tryTake(): SharedBytes | undefined {
    const slot = this.#free.pop();
    if (slot !== undefined || this.#unmadeCount === 0) {
      return slot;
    }
    this.#unmadeCount--;
    return new Uint8Array(new SharedArrayBuffer(this.sizeBytes));
  }

  /** Gives back a slot that `take` or `tryTake` gave, not a part of it. */
  give(slot: SharedBytes): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free.push(slot);
    } else {
      next(slot);
    }
  }
}
