// Counts what the pages of one policy that are stored with one replication take in packs.
import { packHeaderSizeBytes } from '../pack/layout.js';
import { maskPageCount } from '../pack/mask.js';
import type { PackRequest } from '../pack/types.js';
import type { ReplicationFigures } from '../report/model/image-figures.js';

export class PackTally {
  readonly #replication: number;
  readonly #packs: readonly PackRequest[];
  /** The first frame that no window before those asked for has. */
  #pack = 0;
  #frame = 0;
  #nonZeroPageCount = 0;
  #lz4Bytes = 0;
  #zstdBytes = 0;

  /** `packs` all of one replication, in the order of the plan. */
  constructor(replication: number, packs: readonly PackRequest[]) {
    this.#replication = replication;
    this.#packs = packs;
  }

  /** The pages that the window's frame should hold, undefined for none. Windows are asked for in ascending order. */
  pagesOf(window: number): { readonly low: number; readonly high: number } | undefined {
    for (; this.#pack < this.#packs.length; this.#pack++) {
      const { frames } = this.#packs[this.#pack];
      while (frames.window[this.#frame] < window) {
        this.#frame++;
      }
      if (this.#frame === frames.window.length) {
        this.#frame = 0;
        continue;
      }
      return frames.window[this.#frame] === window
        ? { low: frames.maskLow[this.#frame], high: frames.maskHigh[this.#frame] }
        : undefined;
    }
    return undefined;
  }

  /** A frame of pages that are not zero, and its length in a pack by each codec. */
  addFrame(maskLow: number, maskHigh: number, lz4Bytes: number, zstdBytes: number): void {
    this.#nonZeroPageCount += maskPageCount(maskLow, maskHigh);
    this.#lz4Bytes += lz4Bytes;
    this.#zstdBytes += zstdBytes;
  }

  figures(): ReplicationFigures {
    const headerBytes = this.#packs.length * packHeaderSizeBytes;
    return {
      replication: this.#replication,
      nonZeroPageCount: this.#nonZeroPageCount,
      packedBytes: headerBytes + this.#lz4Bytes,
      zstdPackedBytes: headerBytes + this.#zstdBytes,
      packCount: this.#packs.length,
    };
  }
}

/** Ascending by replication, of all packs of a plan. */
export function talliesOf(packs: readonly PackRequest[]): readonly PackTally[] {
  return [...new Set(packs.map(({ replication }) => replication))]
    .sort((a, b) => a - b)
    .map(
      (replication) =>
        new PackTally(
          replication,
          packs.filter((pack) => pack.replication === replication),
        ),
    );
}
