// Labels from the memmap alone, section by section of the kernel's sparse memory model.
import type { Kernel } from '../kernel/kernel.js';
import { endPfn, pageSizeBytes } from '../memory/physical-memory.js';
import { Mappings } from '../mm/cache/mapping.js';
import { type Disagreement, freeCountDisagreements } from '../mm/free/free-count.js';
import { FreeLabeller } from '../mm/free/free-labeller.js';
import type { Memmap } from '../mm/memmap.js';
import { MemmapLabeller } from '../mm/memmap-labeller.js';
import { pageFlagMasks } from '../mm/page-flags.js';
import { pageLayout } from '../mm/page-layout.js';
import { pageTypes } from '../mm/page-type.js';
import { type Zone, zoneBits } from '../mm/zones/zone.js';
import { labelNumbers } from '../page-class.js';

/**
 * Struct pages per read of the memmap: 256 KiB of them, which stay in a CPU's own cache between the read and the loop.
 * Twice as much takes four times as long.
 */
const pagesPerRead = 4096;
/** Right behind a free block the next read only looks whether another one follows. */
const pagesPerPeek = 64;

export interface MemmapLabels {
  /** Blocks that do not hold together; their frames are `unknown`. */
  readonly brokenBlockCount: number;
  /** Where the free blocks found are not those that the zones count. */
  readonly disagreements: readonly Disagreement[];
}

/**
 * Fills `labels`, one per page of the image.
 *
 * A free block's head speaks for frames in it that lie beyond the read, as it does for the kernel itself, while the
 * blocks found are those that every zone counts. Where they are not, all is labelled again and every frame looked at.
 */
export function labelMemmap(
  kernel: Kernel,
  memmap: Memmap,
  zones: readonly Zone[],
  labels: Uint8Array,
): MemmapLabels {
  const quick = labelFrames(kernel, memmap, zones, labels, false);
  return quick.disagreements.length === 0
    ? quick
    : labelFrames(kernel, memmap, zones, labels, true);
}

function labelFrames(
  kernel: Kernel,
  memmap: Memmap,
  zones: readonly Zone[],
  labels: Uint8Array,
  everyFrame: boolean,
): MemmapLabels {
  const bits = zoneBits(kernel);
  const buddyOrderCount = zones[0].freeBlockCounts.length;
  const labeller = kernel.hasBtf
    ? new MemmapLabeller({
        layout: pageLayout(kernel.btf),
        flags: pageFlagMasks(kernel.btf),
        types: pageTypes(kernel.vmcoreinfo, kernel.btf),
        hugetlbDestructor: kernel.btf.enumeration('compound_dtor_id')?.get('HUGETLB_PAGE_DTOR'),
        zoneShift: bits.shift,
        mappings: new Mappings(kernel),
        buddyOrderCount,
        memmap,
      })
    : new FreeLabeller(kernel, bits.shift, buddyOrderCount);
  runOver(kernel, memmap, labeller, labels, everyFrame);
  return {
    brokenBlockCount: labeller.brokenBlockCount,
    disagreements: freeCountDisagreements(zones, bits, labeller.freeBlockCounts, buddyOrderCount),
  };
}

function runOver(
  kernel: Kernel,
  memmap: Memmap,
  labeller: MemmapLabeller | FreeLabeller,
  labels: Uint8Array,
  everyFrame: boolean,
): void {
  const strideWords = memmap.structPageBytes / 4;
  const { regions } = kernel.physical;
  const largestCount = Math.min(pagesPerRead, endPfn(regions));
  const words = new Int32Array(largestCount * strideWords);
  for (const region of regions) {
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
      const freeEnd = everyFrame ? 0 : Math.min(labeller.freeBlockEnd, sectionEnd);
      if (freeEnd > pfn) {
        labels.fill(labelNumbers.free, labelOffset + pfn, labelOffset + freeEnd);
        pfn = freeEnd;
        continue;
      }
      const atOnce = freeEnd === pfn ? pagesPerPeek : pagesPerRead;
      // Reads end where blocks may begin, so a head and the struct page after it come together.
      const count = Math.min(atOnce - (pfn % atOnce), sectionEnd - pfn);
      memmap.read(pfn, new Uint8Array(words.buffer, 0, count * memmap.structPageBytes));
      labeller.label(words, count, pfn, labels, labelOffset + pfn);
      pfn += count;
    }
    labeller.endRun(labels, lastPfn, labelOffset + lastPfn);
  }
}

/**
 * Frames that no zone owns are no RAM to the kernel: firmware's tables, or memory kept from it. Those of ZONE_DEVICE
 * are a device's.
 */
export function labelOutsideZones(
  kernel: Kernel,
  zones: readonly Zone[],
  labels: Uint8Array,
): void {
  const deviceZone = kernel.btf.enumeration('zone_type')?.get('ZONE_DEVICE');
  for (const region of kernel.physical.regions) {
    const firstPfn = region.gpaStart / pageSizeBytes;
    const endOfRegion = firstPfn + region.sizeBytes / pageSizeBytes;
    const labelOffset = region.imageOffset / pageSizeBytes - firstPfn;
    const fill = (label: number, from: number, to: number): void => {
      if (to > from) {
        labels.fill(label, labelOffset + from, labelOffset + to);
      }
    };
    let covered = firstPfn;
    for (const zone of [...zones].sort((a, b) => a.startPfn - b.startPfn)) {
      fill(labelNumbers['not-ram'], covered, Math.min(zone.startPfn, endOfRegion));
      covered = Math.max(covered, zone.endPfn);
    }
    fill(labelNumbers['not-ram'], covered, endOfRegion);
    for (const zone of zones.filter(({ index }) => index === deviceZone)) {
      fill(
        labelNumbers.device,
        Math.max(zone.startPfn, firstPfn),
        Math.min(zone.endPfn, endOfRegion),
      );
    }
  }
}
