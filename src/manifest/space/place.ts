// Where one page of a space lies, and what it is. Binary searches over the manifest's columns.
import { ParsError } from '../../../introspect/pars-error.js';
import { maskHas, maskRank } from '../../pack/mask.js';
import { windowPageCount } from '../../pack/types.js';
import type { AddressSpace } from '../types.js';
import { notStoredOf } from './spaces.js';

export type PagePlace =
  | { readonly kind: 'zero' }
  /** Nothing was stored of pages with this label; a restore heals the page. */
  | { readonly kind: 'not-stored' }
  | {
      readonly kind: 'stored';
      /** Index among the snapshot's frames. */
      readonly frame: number;
      /** The page's place among the frame's pages. */
      readonly slot: number;
    };

/** Throws `usage` for a page index outside the space. */
export function placeOf(space: AddressSpace, pageIndex: number): PagePlace {
  checkPage(space, pageIndex);
  const { window, maskLow, maskHigh, frame, slot } = space.places;
  const wanted = Math.floor(pageIndex / windowPageCount);
  const bit = pageIndex % windowPageCount;
  for (let place = firstAtLeast(window, wanted); window[place] === wanted; place++) {
    if (maskHas(maskLow[place], maskHigh[place], bit)) {
      return {
        kind: 'stored',
        frame: frame[place],
        slot: slot[place] + maskRank(maskLow[place], maskHigh[place], bit),
      };
    }
  }
  return { kind: notStoredOf(space).includes(labelOf(space, pageIndex)) ? 'not-stored' : 'zero' };
}

/** The label's number; the header's legend names it. Throws `usage` for a page index outside the space. */
export function labelOf(space: AddressSpace, pageIndex: number): number {
  checkPage(space, pageIndex);
  const { firstPage, label } = space.labelRuns;
  return label[firstAtLeast(firstPage, pageIndex + 1) - 1];
}

function checkPage({ name, labelRuns }: AddressSpace, pageIndex: number): void {
  const last = labelRuns.firstPage.length - 1;
  const pageCount = last < 0 ? 0 : labelRuns.firstPage[last] + labelRuns.pageCount[last];
  if (!Number.isInteger(pageIndex) || pageIndex < 0 || pageIndex >= pageCount) {
    throw new ParsError(
      'usage',
      `space ${name} has ${pageCount} pages, there is no page index ${pageIndex}`,
    );
  }
}

/** Index of the first entry that is not below `value`, in an ascending column; its length where there is none. */
export function firstAtLeast(column: Uint32Array, value: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
