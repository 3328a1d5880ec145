// Given lost pages that are healed by being read again (healed-by.ts), the edits to guest RAM that make the guest do so.
// Pure: reads struct pages of the restored image and says which bytes to change, nothing else.
//
// PG_uptodate of a page's folio is cleared, and the kernel reads the folio again from its disk when somebody asks for it
// (mm/filemap.c, filemap_update_page and filemap_fault).
//
// A folio is healed whole, also when only a part of it is lost: the flag is the head's alone.
import {
  type MemoryRegion,
  pageIndexOf,
  pageSizeBytes,
  type Pfn,
  type PhysicalMemory,
} from '../memory/physical-memory.js';
import type { HealingFacts, MemmapRun } from './healing-facts.js';

/** A run of pages of the image. */
export interface PageRun {
  readonly firstPage: number;
  readonly pageCount: number;
}

/** Pages that cannot be healed after all. */
export interface RefusedRun extends PageRun {
  readonly reason: string;
}

/** Bytes to change, one each. */
export interface FlagEdits {
  /** In bytes; in the order of the pages that are lost, and so mostly ascending. */
  readonly imageOffset: Float64Array;
  readonly value: Uint8Array;
}

export interface RereadPlan {
  readonly edits: FlagEdits;
  readonly folioCount: number;
  /** Pages whose struct page is not what it was when they were labelled, with what was found. */
  readonly refused: readonly RefusedRun[];
}

/** Struct pages read at once: 256 KiB of them. */
const structPagesPerRead = 4096;
/** Heads are aligned, and most folios of files have no more pages than this. */
const framesBefore = 512;
const isTailBit = 1n;

/**
 * The edits that make the guest read `lost` again. Runs ascend and lie within the image; `memory` is the restored image,
 * of which the pages that hold struct pages must be there.
 */
export function planReread(
  facts: HealingFacts,
  memory: PhysicalMemory,
  lost: readonly PageRun[],
): RereadPlan {
  const offsets: number[] = [];
  const values: number[] = [];
  const refused: RefusedRun[] = [];
  const reader = new StructPageReader(facts, memory);
  let lastHead = -1;
  let lastRefusal: string | undefined;
  for (const { firstPage, pageCount } of lost) {
    for (let page = firstPage; page < firstPage + pageCount; page++) {
      const head = reader.headOf(pfnOfPage(memory.regions, page));
      if (typeof head === 'string') {
        addRefused(refused, page, head);
        continue;
      }
      if (head !== lastHead) {
        const edit = reader.clearUptodate(head);
        lastHead = head;
        lastRefusal = typeof edit === 'string' ? edit : undefined;
        if (typeof edit !== 'string') {
          offsets.push(edit.imageOffset);
          values.push(edit.value);
        }
      }
      if (lastRefusal !== undefined) {
        addRefused(refused, page, lastRefusal);
      }
    }
  }
  return {
    edits: { imageOffset: Float64Array.from(offsets), value: Uint8Array.from(values) },
    folioCount: offsets.length,
    refused,
  };
}

/** Adds a page to runs that ascend: to the last one, if it goes on there for the same reason. */
export function addRefused(refused: RefusedRun[], page: number, reason: string): void {
  const last = refused.at(-1);
  if (last?.reason === reason && last.firstPage + last.pageCount === page) {
    refused[refused.length - 1] = { ...last, pageCount: last.pageCount + 1 };
  } else {
    refused.push({ firstPage: page, pageCount: 1, reason });
  }
}

/** Struct pages as they are in the restored image, found by the facts alone. Answers are a value, or why there is none. */
class StructPageReader {
  readonly #facts: HealingFacts;
  readonly #memory: PhysicalMemory;
  readonly #bytes: Buffer;
  /** What `#bytes` holds: struct pages of these frames, and where they lie. */
  #held: MemmapRun = { firstPfn: 0, pageCount: 0, gpa: 0 };

  constructor(facts: HealingFacts, memory: PhysicalMemory) {
    this.#facts = facts;
    this.#memory = memory;
    this.#bytes = Buffer.alloc(structPagesPerRead * facts.structPage.sizeBytes);
  }

  /** Frame of the head of the folio that the frame belongs to. */
  headOf(pfn: Pfn): Pfn | string {
    const { headOffset, sizeBytes, tailsHoldMask } = this.#facts.structPage;
    const at = this.#find(pfn);
    if (typeof at === 'string') {
      return at;
    }
    const word = this.#bytes.readBigUInt64LE(at + headOffset);
    if ((word & isTailBit) === 0n) {
      return pfn;
    }
    const value = word & ~isTailBit;
    const head = tailsHoldMask
      ? // The mask is minus the bytes of the whole folio's struct pages.
        pfn - (pfn % Math.max(1, Number(2n ** 64n - value) / sizeBytes))
      : Number(value - this.#facts.memmapBase) / sizeBytes;
    return Number.isInteger(head) && head >= 0 && head < pfn
      ? head
      : `the struct page of frame ${pfn} is a tail whose head cannot be found`;
  }

  /** The byte of the head's flags without PG_uptodate, and where it stands. */
  clearUptodate(head: Pfn): { imageOffset: number; value: number } | string {
    const { flagsOffset, headOffset, uptodateMask, busyMask } = this.#facts.structPage;
    const at = this.#find(head);
    if (typeof at === 'string') {
      return at;
    }
    const flags = this.#bytes.readUInt32LE(at + flagsOffset);
    const isTail = (this.#bytes.readBigUInt64LE(at + headOffset) & isTailBit) !== 0n;
    if (isTail || (flags & uptodateMask) === 0 || (flags & busyMask) !== 0) {
      return `the struct page of frame ${head} is not that of clean cache: flags 0x${flags.toString(16)}`;
    }
    const byte = Math.floor(Math.log2(uptodateMask) / 8);
    const gpa = this.#held.gpa + at + flagsOffset + byte;
    const page = pageIndexOf(this.#memory.regions, Math.floor(gpa / pageSizeBytes));
    return page === undefined
      ? `the struct page of frame ${head} lies outside the image`
      : {
          imageOffset: page * pageSizeBytes + (gpa % pageSizeBytes),
          value: ((flags & ~uptodateMask) >>> (byte * 8)) & 0xff,
        };
  }

  /** Where the frame's struct page stands in `#bytes`, which it is read into with those behind it. */
  #find(pfn: Pfn): number | string {
    const { sizeBytes } = this.#facts.structPage;
    const { firstPfn, pageCount } = this.#held;
    if (pfn < firstPfn || pfn >= firstPfn + pageCount) {
      const run = runOf(this.#facts.memmapRuns, pfn);
      if (run === undefined) {
        return `the snapshot does not say where the struct page of frame ${pfn} lies`;
      }
      // A little before it too: there lies the head of the folio that it may be a tail of.
      const skipped = Math.max(0, pfn - (pfn % framesBefore) - run.firstPfn);
      const count = Math.min(structPagesPerRead, run.pageCount - skipped);
      const gpa = run.gpa + skipped * sizeBytes;
      if (!this.#memory.read(gpa, this.#bytes.subarray(0, count * sizeBytes))) {
        this.#held = { firstPfn: 0, pageCount: 0, gpa: 0 };
        return `the struct page of frame ${pfn} lies outside the image`;
      }
      this.#held = { firstPfn: run.firstPfn + skipped, pageCount: count, gpa };
    }
    return (pfn - this.#held.firstPfn) * sizeBytes;
  }
}

function runOf(runs: readonly MemmapRun[], pfn: Pfn): MemmapRun | undefined {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (runs[middle].firstPfn <= pfn) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const run = runs.at(low - 1);
  return low > 0 && run !== undefined && pfn < run.firstPfn + run.pageCount ? run : undefined;
}

/** Regions ascend in both; the page must lie within them. */
function pfnOfPage(regions: readonly MemoryRegion[], page: number): Pfn {
  const offset = page * pageSizeBytes;
  const region = regions.find(
    ({ imageOffset, sizeBytes }) => offset >= imageOffset && offset < imageOffset + sizeBytes,
  );
  return region === undefined
    ? -1
    : (region.gpaStart + offset - region.imageOffset) / pageSizeBytes;
}
