// Frames that several policies want of the same windows. Policies agree on most windows, so each different frame is
// encoded once by each codec and counted for all that want it.
import type { FrameBatch, FrameRequests } from '../pack/types.js';
import type { PackTally } from './pack-tally.js';

export class SharedFrames {
  readonly #window: number[] = [];
  readonly #maskLow: number[] = [];
  readonly #maskHigh: number[] = [];
  readonly #wantedBy: PackTally[][] = [];

  /** Windows come in ascending order; the pages are some, and none of them is zero. */
  add(window: number, maskLow: number, maskHigh: number, wantedBy: PackTally): void {
    for (let at = this.#window.length - 1; at >= 0 && this.#window[at] === window; at--) {
      if (this.#maskLow[at] === maskLow && this.#maskHigh[at] === maskHigh) {
        this.#wantedBy[at].push(wantedBy);
        return;
      }
    }
    this.#window.push(window);
    this.#maskLow.push(maskLow);
    this.#maskHigh.push(maskHigh);
    this.#wantedBy.push([wantedBy]);
  }

  requests(): FrameRequests {
    return {
      window: Uint32Array.from(this.#window),
      maskLow: Uint32Array.from(this.#maskLow),
      maskHigh: Uint32Array.from(this.#maskHigh),
    };
  }

  /** What was made of `requests` by each codec: a frame for each, as no page is zero. */
  tally(lz4: FrameBatch, zstd: FrameBatch): void {
    const { held } = lz4;
    this.#wantedBy.forEach((tallies, frame) => {
      for (const tally of tallies) {
        tally.addFrame(
          held.maskLow[frame],
          held.maskHigh[frame],
          lz4.frames.length[frame],
          zstd.frames.length[frame],
        );
      }
    });
  }
}
