// Where in the file each page of a RAM block lies.
//
// A stream sends pages in any order, and again when the guest has written to them meanwhile: only one pass over it
// tells where the last copy is. What that pass keeps is at most 8 bytes per page, in chunks that exist only where a
// page is not zero; for a mapped-ram file, which has a fixed place for each page, 1 bit per page.
import { pageSizeBytes } from '../physical-memory.js';

export interface PageRun {
  readonly firstPage: number;
  readonly endPage: number;
}

export interface PagePlaces {
  /** Whether the stream says anything of the block's pages, be it that they are zero. */
  readonly isStated: boolean;
  /** File offset of the page's bytes; 0, where no page can be, for a page of zeroes. */
  placeOf(page: number): number;
  /** The next pages from `page` on that are not zero; undefined when none are left. */
  dataFrom(page: number): PageRun | undefined;
}

/** 2 MiB of guest RAM: a chunk is a page itself. */
const chunkPageCount = 512;

export class SentPages implements PagePlaces {
  // Offsets need more than 32 bits and fit the 53 of a double.
  readonly #chunks: (Float64Array | undefined)[] = [];
  isStated = false;

  placeOf(page: number): number {
    return this.#chunks[Math.floor(page / chunkPageCount)]?.[page % chunkPageCount] ?? 0;
  }

  dataFrom(page: number): PageRun | undefined {
    const start = Math.floor(page / chunkPageCount);
    for (let index = start; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index];
      if (chunk !== undefined) {
        const run = runIn(
          index === start ? page % chunkPageCount : 0,
          chunkPageCount,
          (at) => chunk[at] !== 0,
        );
        if (run !== undefined) {
          const base = index * chunkPageCount;
          return { firstPage: base + run.firstPage, endPage: base + run.endPage };
        }
      }
    }
    return undefined;
  }

  /** `place` 0: the page is zero now, whatever was sent before. */
  send(page: number, place: number): void {
    this.isStated = true;
    const index = Math.floor(page / chunkPageCount);
    let chunk = this.#chunks[index];
    if (chunk === undefined) {
      if (place === 0) {
        return;
      }
      chunk = new Float64Array(chunkPageCount);
      this.#chunks[index] = chunk;
    }
    chunk[page % chunkPageCount] = place;
  }
}

export class MappedPages implements PagePlaces {
  readonly #bitmap: Uint8Array;
  readonly #pagesOffset: number;
  readonly #pageCount: number;
  readonly isStated = true;

  /** A set bit of `bitmap`, lowest first, is a page that the file has. */
  constructor(bitmap: Uint8Array, pagesOffset: number, pageCount: number) {
    this.#bitmap = bitmap;
    this.#pagesOffset = pagesOffset;
    this.#pageCount = pageCount;
  }

  placeOf(page: number): number {
    return this.#has(page) ? this.#pagesOffset + page * pageSizeBytes : 0;
  }

  dataFrom(page: number): PageRun | undefined {
    return runIn(page, this.#pageCount, (at) => this.#has(at));
  }

  #has(page: number): boolean {
    return ((this.#bitmap[page >> 3] >> (page & 7)) & 1) !== 0;
  }
}

function runIn(from: number, end: number, isData: (at: number) => boolean): PageRun | undefined {
  let firstPage = from;
  while (firstPage < end && !isData(firstPage)) {
    firstPage++;
  }
  if (firstPage === end) {
    return undefined;
  }
  let endPage = firstPage + 1;
  while (endPage < end && isData(endPage)) {
    endPage++;
  }
  return { firstPage, endPage };
}
