// Content as packets, filled ahead of who sends them: while a file is made and its nodes are found, and while packets are on their
// way. Each chunk is copied before the next is asked for, so its maker may use its memory again.

import type { PacketBuffer, PacketMemory } from './packet.js';

/** Filled and not yet taken by the kernel, of one file. */
const bufferCount = 4;

export class PacketSource {
  readonly #memory: PacketMemory;
  readonly #filled: PacketBuffer[] = [];
  readonly #filling: Promise<void>;
  /** Buffers that are filled, or sent and not yet given back. */
  #usedCount = 0;
  #hasBytes = false;
  #isEnded = false;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void)[] = [];

  /** Begins at once. `close` must be called. */
  constructor(content: AsyncIterable<Uint8Array>, memory: PacketMemory) {
    this.#memory = memory;
    this.#filling = this.#fill(content).then(
      () => {
        this.#isEnded = true;
        this.#changed();
      },
      (error: unknown) => {
        this.#failure = { error };
        this.#changed();
      },
    );
  }

  /** Whether there are any bytes, as soon as that is known. Throws what the content throws. */
  async hasBytes(): Promise<boolean> {
    await this.#until(() => this.#hasBytes || this.#isEnded);
    return this.#hasBytes;
  }

  /** The next packet, or undefined after the last. Throws what the content throws, once all before that were given. */
  async next(): Promise<PacketBuffer | undefined> {
    await this.#until(() => this.#filled.length > 0 || this.#isEnded);
    return this.#filled.shift();
  }

  /** For a packet that was sent: its memory may be filled again. */
  giveBack(buffer: PacketBuffer): void {
    this.#usedCount--;
    this.#memory.give(buffer);
    this.#changed();
  }

  /** Ends the content, and waits for its end: it may be opened again after that, and not before. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#changed();
    await this.#filling;
    for (const buffer of this.#filled.splice(0)) {
      this.giveBack(buffer);
    }
  }

  async #fill(content: AsyncIterable<Uint8Array>): Promise<void> {
    let buffer: PacketBuffer | undefined;
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length && !this.#isClosed;) {
        buffer ??= await this.#emptyBuffer();
        at += buffer?.append(chunk.subarray(at)) ?? 0;
        if (!this.#hasBytes) {
          this.#hasBytes = true;
          this.#changed();
        }
        if (buffer?.isFull === true) {
          this.#filled.push(buffer);
          buffer = undefined;
          this.#changed();
        }
      }
      if (this.#isClosed) {
        break;
      }
    }
    if (buffer !== undefined) {
      this.#filled.push(buffer);
    }
  }

  /** Undefined once it is closed. */
  async #emptyBuffer(): Promise<PacketBuffer | undefined> {
    while (this.#usedCount >= bufferCount && !this.#isClosed) {
      await this.#change();
    }
    if (this.#isClosed) {
      return undefined;
    }
    this.#usedCount++;
    return this.#memory.take();
  }

  async #until(isReached: () => boolean): Promise<void> {
    while (!isReached()) {
      if (this.#failure !== undefined) {
        throw this.#failure.error;
      }
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve);
    });
  }

  #changed(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) {
      resolve();
    }
  }
}
