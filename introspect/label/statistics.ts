// The kernel's own counts beside what was found, for `classify --stats`: where they part, the labels do not see what the
// kernel sees. A few pages are always in motion, held by a CPU and counted nowhere yet.
import { Inconsistency } from '../inconsistency.js';
import { endPfn, type MemoryRegion, pageSizeBytes } from '../memory/physical-memory.js';
import { perCpuLists } from '../mm/free/per-cpu-lists.js';
import { openMemmap } from '../mm/memmap.js';
import type { Zone } from '../mm/zones/zone.js';
import { zoneName } from '../mm/zones/zone-spans.js';
import { labelNumbers } from '../page-class.js';
import { compareCounters, type CounterComparison } from './counters.js';
import type { Introspected } from './find-kernel.js';
import type { PageMap } from './page-map.js';

export interface ZoneStatistics {
  readonly node: number;
  readonly name: string;
  /** NR_FREE_PAGES, with what the CPUs have not added yet. */
  readonly kernelFreePageCount: number;
  /** Pages of the zone's span labelled `free`. */
  readonly foundFreePageCount: number;
}

export interface PerCpuStatistics {
  readonly node: number;
  readonly zone: string;
  readonly cpu: number;
  /** Undefined when the list does not hold the pages that stand beside it as its count. */
  readonly pageCount: number | undefined;
  readonly broken: string | undefined;
}

export type Statistics =
  | {
      readonly available: true;
      readonly counters: readonly CounterComparison[];
      readonly zones: readonly ZoneStatistics[];
      readonly perCpu: readonly PerCpuStatistics[];
    }
  | { readonly available: false; readonly reason: string };

export function readStatistics(introspected: Introspected, { labels }: PageMap): Statistics {
  if (!introspected.found) {
    return { available: false, reason: introspected.reason };
  }
  const { kernel, zones, memory } = introspected;
  try {
    const memmap = openMemmap(kernel, endPfn(memory.regions));
    return {
      available: true,
      counters: compareCounters(kernel, labels),
      zones: zones.map((zone) => ({
        node: zone.node,
        name: zoneName(kernel, zone),
        kernelFreePageCount: zone.freePageCount,
        foundFreePageCount: countFree(memory.regions, zone, labels),
      })),
      perCpu: [...perCpuLists(kernel, memmap, zones)].map(({ zone, cpu, runs, broken }) => ({
        node: zone.node,
        zone: zoneName(kernel, zone),
        cpu: cpu.number,
        pageCount: runs?.reduce((sum, { order }) => sum + 2 ** order, 0),
        broken,
      })),
    };
  } catch (error) {
    if (error instanceof Inconsistency) {
      return { available: false, reason: error.message };
    }
    throw error;
  }
}

function countFree(regions: readonly MemoryRegion[], zone: Zone, labels: Uint8Array): number {
  let count = 0;
  for (const { gpaStart, sizeBytes, imageOffset } of regions) {
    const firstPfn = gpaStart / pageSizeBytes;
    const from = Math.max(firstPfn, zone.startPfn);
    const to = Math.min(firstPfn + sizeBytes / pageSizeBytes, zone.endPfn);
    const offset = imageOffset / pageSizeBytes - firstPfn;
    for (let pfn = from; pfn < to; pfn++) {
      if (labels[offset + pfn] === labelNumbers.free) {
        count++;
      }
    }
  }
  return count;
}
