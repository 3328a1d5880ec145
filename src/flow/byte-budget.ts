// Bounds the bytes in flight. p-limit counts tasks, and a task may hold a page or a pack.

export class ByteBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;
  readonly #waiting: { readonly sizeBytes: number; readonly admit: () => void }[] = [];

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Waits, first come first served, until `sizeBytes` fit. A piece larger than the budget is let in alone. */
  async take(sizeBytes: number): Promise<void> {
    if (this.tryTake(sizeBytes)) {
      return;
    }
    await new Promise<void>((admit) => this.#waiting.push({ sizeBytes, admit }));
  }

  /**
   * Takes without waiting, false when that would mean to wait. For who already holds a piece: holders that wait for each
   * other would wait for ever.
   */
  tryTake(sizeBytes: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(sizeBytes)) {
      return false;
    }
    this.#usedBytes += sizeBytes;
    return true;
  }

  give(sizeBytes: number): void {
    this.#usedBytes -= sizeBytes;
    for (
      let next = this.#waiting[0];
      this.#waiting.length > 0 && this.#fits(next.sizeBytes);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#usedBytes += next.sizeBytes;
      next.admit();
    }
  }

  #fits(sizeBytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + sizeBytes <= this.#limitBytes;
  }
}
