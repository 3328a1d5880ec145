// Waiting for the next look at a folder.

/** A wait that an event ends early, but not too early; the signal ends it at once. */
export class Waker {
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => {
    this.#end?.();
  };
  #end: (() => void) | undefined;
  #isWaitingForEvent = false;
  #wasWoken = false;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  wake(): void {
    this.#wasWoken = true;
    if (this.#isWaitingForEvent) {
      this.#end?.();
    }
  }

  async wait(minMs: number, maxMs: number): Promise<void> {
    await this.#sleep(minMs);
    if (!this.#wasWoken) {
      this.#isWaitingForEvent = true;
      await this.#sleep(maxMs - minMs);
      this.#isWaitingForEvent = false;
    }
    this.#wasWoken = false;
  }

  async #sleep(durationMs: number): Promise<void> {
    if (durationMs <= 0 || this.#signal.aborted) {
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#end = undefined;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
