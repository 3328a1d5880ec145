// The guard over free pages: what the memmap shows must equal what each zone counts, to the page.
import { Inconsistency } from './inconsistency.js';
import { type Zone, type ZoneBits, zoneKey } from './zone.js';

/**
 * `freeBlockCounts` as MemmapLabeller leaves it. Throws Inconsistency unless for every zone and order the free blocks
 * equal `free_area[order].nr_free`, and their pages equal NR_FREE_PAGES.
 */
export function checkFreeCounts(
  zones: readonly Zone[],
  bits: ZoneBits,
  freeBlockCounts: ReadonlyMap<number, number>,
  buddyOrderCount: number,
): void {
  let checkedBlockCount = 0;
  for (const zone of zones) {
    const key = zoneKey(bits, zone);
    let pageCount = 0;
    zone.freeBlockCounts.forEach((stated, order) => {
      const found = freeBlockCounts.get(key * buddyOrderCount + order) ?? 0;
      if (found !== stated) {
        throw new Inconsistency(
          `zone ${zone.index} of node ${zone.node} counts ${stated} free blocks of order ${order}, the memmap shows ${found}`,
        );
      }
      pageCount += found * 2 ** order;
      checkedBlockCount += found;
    });
    if (pageCount !== zone.freePageCount) {
      throw new Inconsistency(
        `zone ${zone.index} of node ${zone.node} counts ${zone.freePageCount} free pages, the memmap shows ${pageCount}`,
      );
    }
  }
  const foundBlockCount = [...freeBlockCounts.values()].reduce((sum, count) => sum + count, 0);
  if (foundBlockCount !== checkedBlockCount) {
    throw new Inconsistency(
      `${foundBlockCount - checkedBlockCount} free blocks in the memmap belong to no zone`,
    );
  }
}
