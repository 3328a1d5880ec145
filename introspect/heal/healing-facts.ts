// What healing must know of a guest's kernel (heal.ts), found while the whole image is there and kept with the snapshot:
// when pages are lost nothing is looked for again.
import { Inconsistency } from '../inconsistency.js';
import type { Kernel } from '../kernel/kernel.js';
import { type Gpa, pageIndexOf, pageSizeBytes, type Pfn } from '../memory/physical-memory.js';
import type { Memmap } from '../mm/memmap.js';
import { pageFlagMasks } from '../mm/page-flags.js';
import { pageLayout } from '../mm/page-layout.js';
import { pageClasses } from '../page-class.js';
import { isHealedBy } from './healed-by.js';

/** Struct pages that lie one after the other in guest memory. */
export interface MemmapRun {
  readonly firstPfn: Pfn;
  readonly pageCount: number;
  /** The address of the first one in the guest. */
  readonly gpa: Gpa;
}

/** Where a struct page says what healing asks it. Offsets and sizes in bytes; masks over the lower half of its flags. */
export interface StructPageFacts {
  readonly sizeBytes: number;
  readonly flagsOffset: number;
  /** compound_head, or compound_info: in a tail bit 0 is set and the rest leads to the head. */
  readonly headOffset: number;
  /** Whether a tail leads to its head by a mask over its own address (7.1 on), and not by the head's address. */
  readonly tailsHoldMask: boolean;
  readonly uptodateMask: number;
  /** Dirty, locked, under writeback. */
  readonly busyMask: number;
}

export interface HealingFacts {
  /** What lost free pages are filled with: 0, or the pattern of page poisoning. */
  readonly freeByte: number;
  readonly structPage: StructPageFacts;
  /** Kernel virtual address of frame 0's struct page. */
  readonly memmapBase: bigint;
  /** Ascending by frame: the struct pages of all frames that are healed by being read again, and of some neighbours. */
  readonly memmapRuns: readonly MemmapRun[];
}

const isReread = isHealedBy('rereading');
/** Frames whose struct pages are looked for at once: about a page of memmap, the least that can be mapped by itself. */
const framesPerStep = 64;

/**
 * Throws Inconsistency where a struct page that healing needs is not mapped, or lies in a page that may be lost itself.
 */
export function healingFacts(
  kernel: Kernel,
  memmap: Memmap,
  labels: Uint8Array,
  freeByte: number,
): HealingFacts {
  return {
    freeByte,
    structPage: kernel.hasBtf ? structPageFacts(kernel, memmap) : neverAsked(memmap),
    memmapBase: memmap.base,
    memmapRuns: memmapRuns(kernel, memmap, labels),
  };
}

function structPageFacts(kernel: Kernel, memmap: Memmap): StructPageFacts {
  const layout = pageLayout(kernel.btf);
  const flags = pageFlagMasks(kernel.btf);
  return {
    sizeBytes: memmap.structPageBytes,
    flagsOffset: layout.flags * 4,
    headOffset: layout.compoundHead * 4,
    tailsHoldMask: layout.tailsHoldMask,
    uptodateMask: flags.uptodate,
    busyMask: flags.busy,
  };
}

/** Without BTF no page is to be read again, so no struct page is asked: what is not known only has to be well-formed. */
function neverAsked(memmap: Memmap): StructPageFacts {
  return {
    sizeBytes: memmap.structPageBytes,
    flagsOffset: 0,
    headOffset: 0,
    tailsHoldMask: false,
    uptodateMask: 1,
    busyMask: 0xffff_ffff,
  };
}

function memmapRuns(kernel: Kernel, memmap: Memmap, labels: Uint8Array): readonly MemmapRun[] {
  const runs: { firstPfn: Pfn; pageCount: number; gpa: Gpa }[] = [];
  for (const { gpaStart, sizeBytes, imageOffset } of kernel.physical.regions) {
    const firstPfn = gpaStart / pageSizeBytes;
    const firstPage = imageOffset / pageSizeBytes;
    const endPage = firstPage + sizeBytes / pageSizeBytes;
    for (let page = firstPage; page < endPage;) {
      if (isReread[labels[page]] !== 1) {
        page++;
        continue;
      }
      // A folio's head carries its label too, so it is met as well.
      const pfn = firstPfn + page - firstPage;
      const stepPfn = pfn - (pfn % framesPerStep);
      addStep(kernel, memmap, labels, stepPfn, runs);
      page += framesPerStep - (pfn % framesPerStep);
    }
  }
  return runs;
}

/** Adds the struct pages of the step's frames, in as many runs as they lie in. */
function addStep(
  kernel: Kernel,
  memmap: Memmap,
  labels: Uint8Array,
  stepPfn: Pfn,
  runs: { firstPfn: Pfn; pageCount: number; gpa: Gpa }[],
): void {
  const { structPageBytes } = memmap;
  for (let pfn = stepPfn; pfn < stepPfn + framesPerStep;) {
    const place = kernel.memory.mappingOf(memmap.base + BigInt(pfn * structPageBytes));
    const count = Math.min(
      stepPfn + framesPerStep - pfn,
      Math.floor((place?.contiguousBytes ?? 0) / structPageBytes),
    );
    if (place === undefined || count === 0) {
      throw new Inconsistency(`the memmap of frame ${pfn} is not mapped in one piece`);
    }
    expectKept(kernel, labels, place.gpa, count * structPageBytes);
    const last = runs.at(-1);
    if (
      last?.firstPfn === pfn - (last?.pageCount ?? 0) &&
      last.gpa + last.pageCount * structPageBytes === place.gpa
    ) {
      last.pageCount += count;
    } else {
      runs.push({ firstPfn: pfn, pageCount: count, gpa: place.gpa });
    }
    pfn += count;
  }
}

function expectKept(kernel: Kernel, labels: Uint8Array, gpa: Gpa, sizeBytes: number): void {
  const first = Math.floor(gpa / pageSizeBytes);
  const last = Math.floor((gpa + sizeBytes - 1) / pageSizeBytes);
  for (let pfn = first; pfn <= last; pfn++) {
    const page = pageIndexOf(kernel.physical.regions, pfn);
    const label = page === undefined ? undefined : pageClasses[labels[page]];
    if (label === undefined || label.expendable) {
      throw new Inconsistency(
        `frame ${pfn} holds struct pages, and is ${label?.label ?? 'outside the image'}`,
      );
    }
  }
}
