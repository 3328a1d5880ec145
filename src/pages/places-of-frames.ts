// A space's places the other way round: which of its pages each frame holds.
import type { PlaceColumns } from '../pack/types.js';

export class PlacesOfFrames {
  readonly #places: PlaceColumns;
  /** Places by frame; those of frame f from #starts[f] to #starts[f + 1]. */
  readonly #order: Uint32Array;
  readonly #starts: Uint32Array;

  /** `frameCount`: of the snapshot. */
  constructor(places: PlaceColumns, frameCount: number) {
    this.#places = places;
    this.#starts = new Uint32Array(frameCount + 1);
    for (const frame of places.frame) {
      this.#starts[frame + 1]++;
    }
    for (let frame = 0; frame < frameCount; frame++) {
      this.#starts[frame + 1] += this.#starts[frame];
    }
    const next = this.#starts.slice();
    this.#order = new Uint32Array(places.frame.length);
    places.frame.forEach((frame, place) => {
      this.#order[next[frame]++] = place;
    });
  }

  /** The places of some frames, which they name by their place in `frames`; in that order. */
  of(frames: Uint32Array): PlaceColumns {
    let count = 0;
    for (const frame of frames) {
      count += this.#starts[frame + 1] - this.#starts[frame];
    }
    const picked = {
      window: new Uint32Array(count),
      maskLow: new Uint32Array(count),
      maskHigh: new Uint32Array(count),
      frame: new Uint32Array(count),
      slot: new Uint8Array(count),
    };
    let at = 0;
    frames.forEach((frame, index) => {
      for (let entry = this.#starts[frame]; entry < this.#starts[frame + 1]; entry++, at++) {
        const place = this.#order[entry];
        picked.window[at] = this.#places.window[place];
        picked.maskLow[at] = this.#places.maskLow[place];
        picked.maskHigh[at] = this.#places.maskHigh[place];
        picked.frame[at] = index;
        picked.slot[at] = this.#places.slot[place];
      }
    });
    return picked;
  }
}
