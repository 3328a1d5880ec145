// Any pages of a snapshot, in any order: their frames are fetched, checked, unpacked and kept for a while. Who wants all pages of
// a space reads frames in the order of their packs instead (read-frames.ts).
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import { firstAtLeast, labelOf, placeOf } from '../manifest/space/place.js';
import type { AddressSpace, Manifest } from '../manifest/types.js';
import { pickFrames } from '../manifest/used-frames.js';
import { decodeStoredFrames } from '../pack/decode.js';
import { windowPageCount } from '../pack/types.js';
import type { Store } from '../store/store.js';
import { FrameCache } from './frame-cache.js';
import { PackReader } from './pack-reader.js';
import { planReads, type ReadPiece } from './read-plan.js';

export interface PageReaderOptions {
  /** Unpacked pages that are kept, in bytes. */
  readonly cacheBytes?: number;
  /** What is fetched beyond the pages that are asked for, once they are asked for in their order; 0: nothing. In bytes. */
  readonly readAheadBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Room for the pages between two faults of a guest that starts, and little beside one. */
const defaultCacheBytes = 64 * 2 ** 20;
const defaultReadAheadBytes = 4 * 2 ** 20;

export class PageReader {
  readonly #manifest: Manifest;
  readonly #packs: PackReader;
  readonly #cache: FrameCache;
  readonly #readAheadPageCount: number;
  readonly #signal: AbortSignal | undefined;
  /** The page behind those that were read last, by name of the space. */
  readonly #nextPages = new Map<string, number>();

  constructor(store: Store, manifest: Manifest, options: PageReaderOptions = {}) {
    this.#manifest = manifest;
    this.#packs = new PackReader(store, manifest.header.packs);
    this.#cache = new FrameCache(options.cacheBytes ?? defaultCacheBytes);
    this.#readAheadPageCount = Math.floor(
      (options.readAheadBytes ?? defaultReadAheadBytes) / pageSizeBytes,
    );
    this.#signal = options.signal;
  }

  /**
   * The bytes of some pages of a space of the manifest. A single page that nothing is known of costs one frame; neighbours in a
   * pack are fetched together. Throws `usage` for pages outside the space, `data-lost` for one of which nothing is stored, as a
   * restore heals it, and what reading throws (store.ts, decode.ts).
   */
  async read(space: AddressSpace, firstPage: number, pageCount: number): Promise<Uint8Array> {
    const end = firstPage + pageCount;
    const ahead = this.#nextPages.get(space.name) === firstPage ? this.#readAheadPageCount : 0;
    this.#nextPages.set(space.name, end);
    const places = Array.from({ length: pageCount }, (_, index) =>
      this.#placeOf(space, firstPage + index),
    );
    const wanted = new Set(places.flatMap((place) => (place === undefined ? [] : [place.frame])));
    const frames = this.#load(wanted, this.#framesAhead(space, end, ahead));
    const bytes = new Uint8Array(pageCount * pageSizeBytes);
    for (const [index, place] of places.entries()) {
      if (place === undefined) {
        continue;
      }
      const pages = await frames.get(place.frame);
      const start = place.slot * pageSizeBytes;
      if (pages !== undefined) {
        bytes.set(pages.subarray(start, start + pageSizeBytes), index * pageSizeBytes);
      }
    }
    return bytes;
  }

  /** Undefined for a page of zeroes. */
  #placeOf(space: AddressSpace, page: number): { frame: number; slot: number } | undefined {
    const place = placeOf(space, page);
    if (place.kind === 'not-stored') {
      const label = this.#manifest.header.legend[labelOf(space, page)];
      throw new ParsError(
        'data-lost',
        `page ${page} of ${space.name} is not stored, as its label is ${label}: a restore heals it`,
      );
    }
    return place.kind === 'zero' ? undefined : place;
  }

  /** The frames that hold stored pages from `page` on. */
  #framesAhead(space: AddressSpace, page: number, pageCount: number): ReadonlySet<number> {
    const { window, frame } = space.places;
    const frames = new Set<number>();
    const firstWindow = Math.floor(page / windowPageCount);
    const endWindow = Math.ceil((page + pageCount) / windowPageCount);
    if (pageCount === 0) {
      return frames;
    }
    let at = firstAtLeast(window, firstWindow);
    for (; at < window.length && window[at] < endWindow; at++) {
      frames.add(frame[at]);
    }
    return frames;
  }

  /** The pages of each frame, those that are wanted now; others are fetched with them and only kept. */
  #load(
    wanted: ReadonlySet<number>,
    ahead: ReadonlySet<number>,
  ): ReadonlyMap<number, Promise<Uint8Array>> {
    const loaded = new Map<number, Promise<Uint8Array>>();
    const missing: number[] = [];
    for (const frame of wanted) {
      const known = this.#cache.get(frame);
      if (known === undefined) {
        missing.push(frame);
      } else {
        loaded.set(frame, known);
      }
    }
    const more = [...ahead].filter((frame) => !wanted.has(frame) && !this.#cache.has(frame));
    for (const piece of planReads(this.#manifest.frames, Uint32Array.from([...missing, ...more]))) {
      const pages = this.#fetch(piece);
      // What is fetched ahead may fail; it is asked for again when it is wanted.
      pages.catch(() => undefined);
      piece.frameIndices.forEach((frame, index) => {
        const ofFrame = pages.then((all) => all[index]);
        const pageCount = this.#manifest.frames.pageCount[frame];
        this.#cache.set(frame, ofFrame, pageCount * pageSizeBytes);
        if (wanted.has(frame)) {
          loaded.set(frame, ofFrame);
        }
      });
    }
    return loaded;
  }

  async #fetch({
    pack,
    startBytes,
    sizeBytes,
    frameIndices,
  }: ReadPiece): Promise<readonly Uint8Array[]> {
    const read = await this.#packs.read(pack, startBytes, sizeBytes, { signal: this.#signal });
    const frames = pickFrames(this.#manifest.frames, frameIndices);
    const stored = { pack: this.#packs.nameOf(pack), ...read, frames };
    // Pages are views, of memory for one frame or of all that was read.
    return Array.from(decodeStoredFrames(stored), ({ pages }) => new Uint8Array(pages));
  }
}
