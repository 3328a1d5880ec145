// How many pages of each label cannot be had back, when packs are gone: what snapshot-loss.ts names page by page, as sums
// over counts, for who asks about many losses of one snapshot. Pure.
import type { RamSpace } from '../manifest/types.js';
import { notStoredRuns } from './lost-pages.js';
import type { PagesByLabel } from './pages-by-label.js';

export interface CountedPages {
  /** RAM, where there is any. */
  readonly space: RamSpace | undefined;
  /** What lies in each pack, of RAM and of disks. */
  readonly pages: PagesByLabel;
  /** Pages that cannot be read back although their pack is there. For a pack that is lost it does not count. */
  readonly damagedPages: PagesByLabel;
}

/** By label number, those among them that the policy left out. */
export function lostByLabel(
  { space, pages, damagedPages }: CountedPages,
  packCount: number,
  isLost: (pack: number) => boolean,
): Float64Array {
  const lost = new Float64Array(pages.labelCount);
  for (const { label, pageCount } of space === undefined ? [] : notStoredRuns(space)) {
    lost[label] += pageCount;
  }
  for (let pack = 0; pack < packCount; pack++) {
    addPages(lost, isLost(pack) ? pages : damagedPages, pack);
  }
  return lost;
}

/** `lost` and, with it, what goes with these packs, which were there. */
export function withMorePacksLost(
  lost: Float64Array,
  { pages, damagedPages }: CountedPages,
  packs: readonly number[],
): Float64Array {
  const more = lost.slice();
  for (const pack of packs) {
    addPages(more, pages, pack);
    addPages(more, damagedPages, pack, -1);
  }
  return more;
}

function addPages(
  sum: Float64Array,
  { labelCount, counts }: PagesByLabel,
  pack: number,
  sign: 1 | -1 = 1,
): void {
  for (let label = 0; label < labelCount; label++) {
    sum[label] += sign * counts[pack * labelCount + label];
  }
}
