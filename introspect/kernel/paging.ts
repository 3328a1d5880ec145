// Walks x86-64 page tables (Intel SDM vol. 3, 4.5; kernel: arch/x86/include/asm/pgtable_types.h).
import {
  type Gpa,
  type MemoryRegion,
  pageIndexOf,
  pageSizeBytes,
  type PhysicalMemory,
  regionAt,
} from '../memory/physical-memory.js';
import type { EvidencePages } from './evidence-pages.js';

export const entriesPerTable = 512;
const presentBit = 1n;
const writableBit = 1n << 1n;
const userBit = 1n << 2n;
const largePageBit = 1n << 7n;
/** The bits of an entry in its lower 32 bits, as numbers. */
const presentMask = 1;
const largePageMask = 1 << 7;
/** Bits 12..51: where the next table or the page lies. */
const addressMask = 0x000f_ffff_ffff_f000n;
/** Shift of the index at level 1 (page table) to 5; 9 bits each. */
const levelShift = [0, 12, 21, 30, 39, 48];
/** The lowest address whose bit 63 is set; canonical addresses of the kernel lie above. */
const upperHalf = 1n << 63n;
const highestAddress = (1n << 64n) - 1n;
/** Pages are mapped at level 1 (4 KiB), 2 (2 MiB) and 3 (1 GiB). */
const largestLeafLevel = 3;

export type PagingLevels = 4 | 5;

export interface Translation {
  readonly gpa: Gpa;
  /** Bytes from `gpa` to the end of the mapped page, which may be 4 KiB, 2 MiB or 1 GiB. */
  readonly contiguousBytes: number;
  readonly isWritable: boolean;
}

export class PageTables {
  readonly levels: PagingLevels;
  readonly #memory: PhysicalMemory;
  readonly #root: Gpa;
  /** Tables read so far, by address: a walk touches the same few again and again. */
  readonly #tables = new Map<Gpa, BigUint64Array | undefined>();
  readonly #evidence: EvidencePages | undefined;
  #highestMissing: Gpa | undefined;

  /** Every table that is read is added to `evidence`. */
  constructor(memory: PhysicalMemory, root: Gpa, levels: PagingLevels, evidence?: EvidencePages) {
    this.#memory = memory;
    this.#root = root;
    this.#evidence = evidence;
    this.levels = levels;
  }

  /** Highest address that a table should be at and that is not in the image, if any. */
  get highestMissing(): Gpa | undefined {
    return this.#highestMissing;
  }

  /**
   * Undefined when the address is not mapped, or the tables lead outside RAM. So is an address of the lower half, and one
   * that user mode may access: a program decides what is there, and the kernel keeps nothing of its own in such pages.
   */
  translate(address: bigint): Translation | undefined {
    if (address < upperHalf || address > highestAddress) {
      return undefined;
    }
    let table: Gpa = this.#root;
    let isOfUser = true;
    let isWritable = true;
    for (let level: number = this.levels; level >= 1; level--) {
      const entries = this.#table(table);
      if (entries === undefined) {
        return undefined;
      }
      const shift = levelShift[level];
      const entry = entries[Number((address >> BigInt(shift)) & 511n)];
      if ((entry & presentBit) === 0n) {
        return undefined;
      }
      isOfUser &&= (entry & userBit) !== 0n;
      isWritable &&= (entry & writableBit) !== 0n;
      const target = Number(entry & addressMask);
      if (level > 1 && (entry & largePageBit) === 0n) {
        table = target;
        continue;
      }
      if (level > largestLeafLevel || isOfUser) {
        // The size bit is reserved up there: no kernel sets it.
        return undefined;
      }
      const mappedBytes = 2 ** shift;
      const within = Number(address & ((1n << BigInt(shift)) - 1n));
      // The low address bits of a large page's entry are flags.
      const base = target - (target % mappedBytes);
      return { gpa: base + within, contiguousBytes: mappedBytes - within, isWritable };
    }
    return undefined;
  }

  #table(gpa: Gpa): BigUint64Array | undefined {
    if (!this.#tables.has(gpa)) {
      if (this.#tables.size >= cachedTableLimit) {
        this.#tables.clear();
      }
      const table = readTable(this.#memory, gpa);
      this.#tables.set(gpa, table);
      if (table === undefined) {
        this.#highestMissing = Math.max(this.#highestMissing ?? 0, gpa);
      } else {
        this.#evidence?.add(gpa, pageSizeBytes);
      }
    }
    return this.#tables.get(gpa);
  }
}

/** 4 MiB of tables: those of one kernel's own mappings, with room. */
const cachedTableLimit = 1024;

/** The entries of the table at `gpa`; undefined where it is not in RAM. */
export function readTable(memory: PhysicalMemory, gpa: Gpa): BigUint64Array | undefined {
  const entries = new BigUint64Array(entriesPerTable);
  return memory.read(gpa, new Uint8Array(entries.buffer)) ? entries : undefined;
}

/** Where an entry leads to, whatever its flags say of access; undefined when it is not present. */
export function targetOf(entry: bigint): Gpa | undefined {
  return (entry & presentBit) === 0n ? undefined : Number(entry & addressMask);
}

/** Tables met so far, by address. */
export interface TableSet {
  has(gpa: Gpa): boolean;
  add(gpa: Gpa): unknown;
}

/** A set of an image's own frames, in a bit each: a guest can make every page of its RAM a table. */
export class FrameSet implements TableSet {
  readonly #regions: readonly MemoryRegion[];
  readonly #bits: Uint8Array;

  constructor({ regions, sizeBytes }: Pick<PhysicalMemory, 'regions' | 'sizeBytes'>) {
    this.#regions = regions;
    this.#bits = new Uint8Array(Math.ceil(sizeBytes / pageSizeBytes / 8));
  }

  has(gpa: Gpa): boolean {
    const index = pageIndexOf(this.#regions, Math.floor(gpa / pageSizeBytes));
    return index !== undefined && (this.#bits[index >> 3] & (1 << (index & 7))) !== 0;
  }

  add(gpa: Gpa): this {
    const index = pageIndexOf(this.#regions, Math.floor(gpa / pageSizeBytes));
    if (index !== undefined) {
      this.#bits[index >> 3] |= 1 << (index & 7);
    }
    return this;
  }
}

/** The bits of `addressMask` in an entry's upper 32 bits. */
const addressHighMask = 0x000f_ffff;
const addressLowMask = 0xffff_f000;

/**
 * Calls `visit` with the address of every table page below `root`, itself included, without reading the lowest level
 * (its pages are named by the level above). `entryRange` limits the root's entries: the lower half is user memory.
 * Bounded: a table seen before is not entered again, so a loop in damaged tables ends.
 */
export function visitTablePages(
  memory: PhysicalMemory,
  root: Gpa,
  levels: PagingLevels,
  entryRange: { readonly first: number; readonly end: number },
  seen: TableSet,
  visit: (gpa: Gpa) => void,
): void {
  const enter = (gpa: Gpa, level: number, first: number, end: number): void => {
    if (regionAt(memory.regions, gpa) === undefined) {
      // Not remembered: entries may name any number of these.
      visit(gpa);
      return;
    }
    if (seen.has(gpa)) {
      return;
    }
    seen.add(gpa);
    visit(gpa);
    if (level === 1) {
      return;
    }
    const entries = readTable(memory, gpa);
    if (entries === undefined) {
      return;
    }
    const words = new Uint32Array(entries.buffer);
    for (let index = first; index < end; index++) {
      const low = words[index * 2];
      const leaf = level <= largestLeafLevel && (low & largePageMask) !== 0;
      if ((low & presentMask) !== 0 && !leaf) {
        const high = words[index * 2 + 1] & addressHighMask;
        enter(high * 2 ** 32 + ((low & addressLowMask) >>> 0), level - 1, 0, entriesPerTable);
      }
    }
  };
  if (root % pageSizeBytes === 0) {
    enter(root, levels, entryRange.first, entryRange.end);
  }
}

const wordsPerTable = entriesPerTable * 2;

/**
 * Calls `visit` with every run of RAM that is mapped below any of `roots`: 4 KiB, 2 MiB or 1 GiB. `entryRange` limits the
 * roots' entries. What `visit` throws ends it. False when a table is not in RAM.
 *
 * Bounded by the RAM: a table is entered once, whoever leads to it, and a large page is visited once.
 */
export function visitMappedPages(
  memory: PhysicalMemory,
  roots: readonly Gpa[],
  levels: PagingLevels,
  entryRange: { readonly first: number; readonly end: number },
  visit: (gpa: Gpa, sizeBytes: number) => void,
): boolean {
  const seen = new FrameSet(memory);
  const largePages = new Set<string>();
  let areAllThere = true;
  const visitLeaf = (gpa: Gpa, level: number): void => {
    const sizeBytes = 2 ** levelShift[level];
    const base = gpa - (gpa % sizeBytes);
    if (regionAt(memory.regions, base) === undefined) {
      return;
    }
    if (level > 1) {
      const key = `${level} ${base}`;
      if (largePages.has(key)) {
        return;
      }
      largePages.add(key);
    }
    visit(base, sizeBytes);
  };
  const enter = (gpa: Gpa, level: number, first: number, end: number): void => {
    if (seen.has(gpa)) {
      return;
    }
    seen.add(gpa);
    // Halves of entries: most tables are of the lowest level, and numbers are faster than bigints.
    const words = new Uint32Array(wordsPerTable);
    if (!memory.read(gpa, new Uint8Array(words.buffer))) {
      areAllThere = false;
      return;
    }
    for (let index = first; index < end; index++) {
      const low = words[2 * index];
      if ((low & presentMask) === 0) {
        continue;
      }
      const high = words[2 * index + 1] & addressHighMask;
      const target = high * 2 ** 32 + ((low & addressLowMask) >>> 0);
      if (level === 1 || (level <= largestLeafLevel && (low & largePageMask) !== 0)) {
        visitLeaf(target, level);
      } else {
        enter(target, level - 1, 0, entriesPerTable);
      }
    }
  };
  for (const root of roots) {
    enter(root, levels, entryRange.first, entryRange.end);
  }
  return areAllThere;
}
