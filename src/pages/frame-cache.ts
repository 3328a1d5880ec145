// Unpacked frames, those used last, up to a number of bytes. What is being fetched counts as well, so that it is fetched once
// however many ask for it meanwhile.

interface Entry {
  readonly pages: Promise<Uint8Array>;
  readonly sizeBytes: number;
}

export class FrameCache {
  readonly #limitBytes: number;
  /** By frame; in the order in which they were used. */
  readonly #entries = new Map<number, Entry>();
  #sizeBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  has(frame: number): boolean {
    return this.#entries.has(frame);
  }

  get(frame: number): Promise<Uint8Array> | undefined {
    const entry = this.#entries.get(frame);
    if (entry !== undefined) {
      this.#entries.delete(frame);
      this.#entries.set(frame, entry);
    }
    return entry?.pages;
  }

  /** `pages` that fail are forgotten. */
  set(frame: number, pages: Promise<Uint8Array>, sizeBytes: number): void {
    this.#remove(frame);
    const entry = { pages, sizeBytes };
    this.#entries.set(frame, entry);
    this.#sizeBytes += sizeBytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#sizeBytes <= this.#limitBytes) {
        break;
      }
      this.#remove(oldest);
    }
    pages.catch(() => {
      if (this.#entries.get(frame) === entry) {
        this.#remove(frame);
      }
    });
  }

  #remove(frame: number): void {
    this.#sizeBytes -= this.#entries.get(frame)?.sizeBytes ?? 0;
    this.#entries.delete(frame);
  }
}
