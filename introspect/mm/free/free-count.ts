// The guard over free pages: what the memmap shows must equal what each zone counts, to the page.
import { type Zone, type ZoneBits, zoneKey } from '../zones/zone.js';

export interface Disagreement {
  /** Undefined: free blocks that belong to no zone. */
  readonly zone: Zone | undefined;
  readonly reason: string;
}

/**
 * `freeBlockCounts` as MemmapLabeller leaves it. One entry for each zone whose free blocks differ from
 * `free_area[order].nr_free` at any order, or whose free pages differ from NR_FREE_PAGES.
 */
export function freeCountDisagreements(
  zones: readonly Zone[],
  bits: ZoneBits,
  freeBlockCounts: ReadonlyMap<number, number>,
  buddyOrderCount: number,
): readonly Disagreement[] {
  const disagreements: Disagreement[] = [];
  let ofZones = 0;
  for (const zone of zones) {
    const key = zoneKey(bits, zone);
    const found = zone.freeBlockCounts.map(
      (_, order) => freeBlockCounts.get(key * buddyOrderCount + order) ?? 0,
    );
    ofZones += found.reduce((sum, count) => sum + count, 0);
    const reason = differenceIn(zone, found);
    if (reason !== undefined) {
      disagreements.push({
        zone,
        reason: `zone ${zone.index} of node ${zone.node} counts ${reason}`,
      });
    }
  }
  const all = [...freeBlockCounts.values()].reduce((sum, count) => sum + count, 0);
  if (all !== ofZones) {
    disagreements.push({
      zone: undefined,
      reason: `${all - ofZones} free blocks in the memmap belong to no zone`,
    });
  }
  return disagreements;
}

function differenceIn(zone: Zone, found: readonly number[]): string | undefined {
  const order = zone.freeBlockCounts.findIndex((stated, index) => stated !== found[index]);
  if (order >= 0) {
    return `${zone.freeBlockCounts[order]} free blocks of order ${order}, the memmap shows ${found[order]}`;
  }
  const pageCount = found.reduce((sum, count, index) => sum + count * 2 ** index, 0);
  return Math.abs(pageCount - zone.freePageCount) <= zone.uncountedPageCount
    ? undefined
    : `${zone.freePageCount} free pages, the memmap shows ${pageCount}`;
}
