// Free pages beyond what the memmap shows: confirmed by the buddy allocator's lists where its counts do not agree, and
// found on the CPUs' own lists. Each function gives the doubts it could not settle, one sentence each.
import type { Kernel } from '../kernel/kernel.js';
import {
  type MemoryRegion,
  pageIndexOf,
  pageSizeBytes,
  type Pfn,
} from '../memory/physical-memory.js';
import { blocksOnBuddyLists } from '../mm/free/buddy-lists.js';
import type { Disagreement } from '../mm/free/free-count.js';
import { freeHugePages } from '../mm/free/hugetlb.js';
import { type FreeRun, perCpuLists } from '../mm/free/per-cpu-lists.js';
import { type Memmap, MemmapLookup } from '../mm/memmap.js';
import type { Zone } from '../mm/zones/zone.js';
import { labelNumbers, pageClasses } from '../page-class.js';
import { replaceLabel } from './replace-label.js';

/** No label: marks a page as confirmed while a zone is gone through. */
const confirmed = 255;

/**
 * Without BTF nothing but the zones' counts shows that struct pages are read where they are: the lists would be followed by
 * the same sizes. So where one zone disagrees no page is given up.
 */
export function takeBackAllFreePages(
  disagreements: readonly Disagreement[],
  labels: Uint8Array,
): readonly string[] {
  if (disagreements.length > 0) {
    replaceLabel(labels, labelNumbers.free, labelNumbers.unknown);
    replaceLabel(labels, labelNumbers.offline, labelNumbers.unknown);
  }
  return disagreements.map(({ reason }) => reason);
}

/**
 * A zone that counts other free blocks than the memmap shows was caught while it changed, or is damaged. Of its pages
 * only those stay free that its lists lead to as well.
 */
export function takeBackDoubtfulFreePages(
  kernel: Kernel,
  memmap: Memmap,
  disagreements: readonly Disagreement[],
  labels: Uint8Array,
): readonly string[] {
  const { regions } = kernel.physical;
  const { free, unknown } = labelNumbers;
  if (disagreements.some(({ zone }) => zone === undefined)) {
    replaceLabel(labels, free, unknown);
  }
  const lookup = new MemmapLookup(kernel, memmap);
  for (const { zone } of disagreements) {
    if (zone !== undefined) {
      for (const run of blocksOnBuddyLists(kernel, lookup, zone)) {
        if (isWholly(free, regions, run, zone, labels)) {
          relabel(regions, run, labels, () => confirmed);
        }
      }
      inZone(regions, zone, (from, to) => {
        replaceLabel(labels.subarray(from, to), free, unknown);
        replaceLabel(labels.subarray(from, to), confirmed, free);
      });
    }
  }
  return disagreements.map(({ reason }) => reason);
}

/** Labels what CPUs keep back. A CPU whose lists do not add up keeps its pages as they are, which is critical. */
export function labelPerCpuLists(
  kernel: Kernel,
  memmap: Memmap,
  zones: readonly Zone[],
  labels: Uint8Array,
): readonly string[] {
  const { regions } = kernel.physical;
  const doubts: string[] = [];
  for (const { zone, cpu, runs, broken } of perCpuLists(kernel, memmap, zones)) {
    if (runs === undefined) {
      doubts.push(broken);
      continue;
    }
    // In use without a mark is all that can be seen of such a page elsewhere.
    const inUse = runs.find((run) => !isWholly(labelNumbers.other, regions, run, zone, labels));
    if (inUse === undefined) {
      runs.forEach((run) => {
        relabel(regions, run, labels, () => labelNumbers['free-pcp']);
      });
    } else {
      doubts.push(
        `the free list of CPU ${cpu.number}, zone ${zone.index} of node ${zone.node}: ` +
          `frame ${inUse.pfn} on it is in use or outside the zone`,
      );
      runs.forEach((run) => {
        relabel(regions, run, labels, takenBack);
      });
    }
  }
  return doubts;
}

/** Huge pages that wait in the pool are told from those in use. */
export function labelHugePages(kernel: Kernel, memmap: Memmap, labels: Uint8Array): void {
  const { regions } = kernel.physical;
  for (const run of freeHugePages(kernel, memmap)) {
    if (isWholly(labelNumbers.hugetlb, regions, run, undefined, labels)) {
      relabel(regions, run, labels, () => labelNumbers['hugetlb-free']);
    }
  }
}

/** Whether every frame of the run is in the zone and has that label. */
function isWholly(
  label: number,
  regions: readonly MemoryRegion[],
  { pfn, order }: FreeRun,
  zone: Zone | undefined,
  labels: Uint8Array,
): boolean {
  const end = pfn + 2 ** order;
  if (zone !== undefined && (pfn < zone.startPfn || end > zone.endPfn)) {
    return false;
  }
  for (let page: Pfn = pfn; page < end; page++) {
    const index = pageIndexOf(regions, page);
    if (index === undefined || labels[index] !== label) {
      return false;
    }
  }
  return true;
}

function relabel(
  regions: readonly MemoryRegion[],
  { pfn, order }: FreeRun,
  labels: Uint8Array,
  labelFor: (before: number) => number,
): void {
  for (let page = pfn; page < pfn + 2 ** order; page++) {
    const index = pageIndexOf(regions, page);
    if (index !== undefined) {
      labels[index] = labelFor(labels[index]);
    }
  }
}

/** What two structures claim is nobody's to give up. */
function takenBack(label: number): number {
  return pageClasses[label].expendable ? labelNumbers.unknown : label;
}

function inZone(
  regions: readonly MemoryRegion[],
  zone: Zone,
  visit: (fromIndex: number, toIndex: number) => void,
): void {
  for (const { gpaStart, sizeBytes, imageOffset } of regions) {
    const first = gpaStart / pageSizeBytes;
    const from = Math.max(first, zone.startPfn);
    const to = Math.min(first + sizeBytes / pageSizeBytes, zone.endPfn);
    if (to > from) {
      const offset = imageOffset / pageSizeBytes - first;
      visit(offset + from, offset + to);
    }
  }
}
