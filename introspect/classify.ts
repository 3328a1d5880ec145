// Labels every page of a guest's memory, or says why none can be trusted.
//
//   label the memmap ──► add the per-CPU free lists ──► hold against the kernel's own counts
//
// Whatever does not add up on the way makes every page `unknown`, which is critical.
import type { Introspected } from './find-kernel.js';
import type { Kernel } from './kernel/kernel.js';
import { labelKernelPages } from './label-kernel-pages.js';
import {
  endPfn,
  pageIndexOf,
  pageSizeBytes,
  type PhysicalMemory,
} from './memory/physical-memory.js';

import { checkFreeCounts } from './mm/free-count.js';
import { walkPerCpuFreeLists } from './mm/free-lists.js';
import { Inconsistency } from './mm/inconsistency.js';
import { Mappings } from './mm/mapping.js';
import { type Memmap, openMemmap } from './mm/memmap.js';
import { MemmapLabeller } from './mm/memmap-labeller.js';
import { pageFlagMasks } from './mm/page-flags.js';
import { pageLayout } from './mm/page-layout.js';
import { pageTypes } from './mm/page-type.js';
import { type Zone, zoneBits } from './mm/zone.js';
import { labelNumbers } from './page-class.js';
import type { Evidence, PageMap } from './page-map.js';

/** Struct pages per read of the memmap: 2 MiB of them, which is also how the kernel maps it. */
const pagesPerRead = 32_768;

/** Labels every page of the image. Throws only what reading the image throws. */
export function classify(introspected: Introspected): PageMap {
  const { memory } = introspected;
  if (!introspected.found) {
    return untrusted(memory, { kind: 'no-kernel', reason: introspected.reason }, undefined);
  }
  const { kernel, zones } = introspected;
  const identity = { release: kernel.release, buildId: kernel.buildId };
  try {
    const { labels, warnings } = labelPages(kernel, zones);
    return {
      regions: memory.regions,
      labels,
      evidence: { kind: 'complete' },
      warnings,
      kernel: identity,
    };
  } catch (error) {
    if (error instanceof Inconsistency) {
      return untrusted(memory, { kind: 'inconsistent', reason: error.message }, identity);
    }
    throw error;
  }
}

function labelPages(kernel: Kernel, zones: readonly Zone[]) {
  const memory = kernel.physical;
  const labels = new Uint8Array(memory.sizeBytes / pageSizeBytes);
  const memmap = openMemmap(kernel, endPfn(memory.regions));
  const bits = zoneBits(kernel);
  const buddyOrderCount = zones[0].freeBlockCounts.length;
  const labeller = new MemmapLabeller({
    layout: pageLayout(kernel.btf),
    flags: pageFlagMasks(kernel.btf),
    types: pageTypes(kernel.vmcoreinfo),
    zoneShift: bits.shift,
    mappings: new Mappings(kernel),
    buddyOrderCount,
    memmap,
  });
  labelMemmap(memory, memmap, labeller, labels);
  checkFreeCounts(zones, bits, labeller.freeBlockCounts, buddyOrderCount);
  walkPerCpuFreeLists(kernel, memmap, zones, (zone, pfn, order) => {
    for (let page = pfn; page < pfn + 2 ** order; page++) {
      const index = pageIndexOf(memory.regions, page);
      // In use without a mark is all that can be seen of such a page elsewhere.
      if (index === undefined || labels[index] !== labelNumbers.other || page >= zone.endPfn) {
        throw new Inconsistency(`frame ${page} on a CPU's free list is in use or outside its zone`);
      }
      labels[index] = labelNumbers['free-pcp'];
    }
  });
  labelKernelPages(kernel, labels);
  labelOutsideZones(memory, zones, labels);
  const warnings =
    labeller.brokenBlockCount === 0
      ? []
      : [
          `${labeller.brokenBlockCount} blocks of pages do not hold together (caught while changing?): kept as critical`,
        ];
  return { labels, warnings };
}

function labelMemmap(
  memory: PhysicalMemory,
  memmap: Memmap,
  labeller: MemmapLabeller,
  labels: Uint8Array,
): void {
  const strideWords = memmap.structPageBytes / 4;
  const words = new Uint32Array(pagesPerRead * strideWords);
  for (const region of memory.regions) {
    const firstPfn = region.gpaStart / pageSizeBytes;
    const lastPfn = firstPfn + region.sizeBytes / pageSizeBytes;
    const labelOffset = region.imageOffset / pageSizeBytes - firstPfn;
    for (let pfn = firstPfn; pfn < lastPfn;) {
      const section = Math.floor(pfn / memmap.sectionPageCount);
      const sectionEnd = Math.min((section + 1) * memmap.sectionPageCount, lastPfn);
      if (!memmap.isOnline(section)) {
        labels.fill(labelNumbers['not-ram'], labelOffset + pfn, labelOffset + sectionEnd);
        labeller.endRun(labels, pfn, labelOffset + pfn);
        pfn = sectionEnd;
        continue;
      }
      const count = Math.min(pagesPerRead, sectionEnd - pfn);
      memmap.read(pfn, new Uint8Array(words.buffer, 0, count * memmap.structPageBytes));
      labeller.label(words, count, pfn, labels, labelOffset + pfn);
      pfn += count;
    }
    labeller.endRun(labels, lastPfn, labelOffset + lastPfn);
  }
}

/** Frames that no zone owns are no RAM to the kernel: firmware's tables, or memory kept from it. */
function labelOutsideZones(
  memory: PhysicalMemory,
  zones: readonly Zone[],
  labels: Uint8Array,
): void {
  for (const region of memory.regions) {
    const firstPfn = region.gpaStart / pageSizeBytes;
    const endOfRegion = firstPfn + region.sizeBytes / pageSizeBytes;
    const labelOffset = region.imageOffset / pageSizeBytes - firstPfn;
    let covered = firstPfn;
    for (const zone of [...zones].sort((a, b) => a.startPfn - b.startPfn)) {
      const gapEnd = Math.min(zone.startPfn, endOfRegion);
      if (gapEnd > covered) {
        labels.fill(labelNumbers['not-ram'], labelOffset + covered, labelOffset + gapEnd);
      }
      covered = Math.max(covered, zone.endPfn);
    }
    if (covered < endOfRegion) {
      labels.fill(labelNumbers['not-ram'], labelOffset + covered, labelOffset + endOfRegion);
    }
  }
}

function untrusted(
  memory: PhysicalMemory,
  evidence: Exclude<Evidence, { kind: 'complete' }>,
  kernel: PageMap['kernel'],
): PageMap {
  return {
    regions: memory.regions,
    labels: new Uint8Array(memory.sizeBytes / pageSizeBytes),
    evidence,
    warnings: [`every page is kept as critical: ${evidence.reason}`],
    kernel,
  };
}
