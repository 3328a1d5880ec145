// The look at every page: is it zero, and if not, is it like one seen before? Counted by label.
import { hash } from 'node:crypto';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { pageClasses } from '../../introspect/page-class.js';
import { windowPageCount } from '../pack/types.js';
import type { LabelFigures } from '../report/model/image-figures.js';
import { type UniqueCount, UniquePages } from './unique-pages.js';

const zeroPage = Buffer.alloc(pageSizeBytes);

/** By window of a block: bit i set where page i is not zero. */
export interface NonZeroPages {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

export class PageScan {
  readonly #labels: Uint8Array;
  readonly #unique = new UniquePages();
  readonly #zeroCounts = new Float64Array(256);

  /** One label number per page, in image order. */
  constructor(labels: Uint8Array) {
    this.#labels = labels;
  }

  /** Whole pages, from the beginning of a window on. */
  scan(block: Buffer, firstPage: number): NonZeroPages {
    const pageCount = block.length / pageSizeBytes;
    const windowCount = Math.ceil(pageCount / windowPageCount);
    const nonZero = { low: new Uint32Array(windowCount), high: new Uint32Array(windowCount) };
    for (let page = 0; page < pageCount; page++) {
      const start = page * pageSizeBytes;
      const end = start + pageSizeBytes;
      // Most pages that hold something are told by their first byte, without the call.
      if (block[start] === 0 && block.compare(zeroPage, 0, pageSizeBytes, start, end) === 0) {
        this.#zeroCounts[this.#labels[firstPage + page]]++;
        continue;
      }
      const half = (page & 32) === 0 ? nonZero.low : nonZero.high;
      half[Math.floor(page / windowPageCount)] |= 1 << (page & 31);
      const digest = hash('sha256', block.subarray(start, end), 'buffer');
      this.#unique.add(digest.readUInt32LE(0), digest.readUInt32LE(4));
    }
    return nonZero;
  }

  /** Pages of a hole, which need not be read. */
  addZeroes(firstPage: number, pageCount: number): void {
    for (let page = firstPage; page < firstPage + pageCount; page++) {
      this.#zeroCounts[this.#labels[page]]++;
    }
  }

  /** Different pages, the zero page not counted. */
  unique(): UniqueCount {
    return this.#unique.count();
  }

  /** Labels that occur, by number. */
  labelFigures(): readonly LabelFigures[] {
    const counts = new Float64Array(256);
    for (const number of this.#labels) {
      counts[number]++;
    }
    return pageClasses
      .filter(({ number }) => counts[number] > 0)
      .map(({ number, label }) => ({
        label,
        pageCount: counts[number],
        zeroPageCount: this.#zeroCounts[number],
      }));
  }
}
