// Builds x86-64 page tables in a test's RAM, entry by entry as a kernel would.
import type { PagingLevels } from '../../../introspect/kernel/paging.js';
import type { Ram } from '../ram.js';

const levelShift = [0, 12, 21, 30, 39, 48];
const entryFlags = 0b11n;
const largePage = 1n << 7n;
/** Bits a walk must ignore: accessed, dirty, a protection key, no-execute. */
const noise = (1n << 5n) | (1n << 6n) | (0b101n << 59n) | (1n << 63n);

/** The level that maps: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB. */
export type LeafLevel = 1 | 2 | 3;

export class PageTableBuilder {
  readonly root: number;
  /** Every table so far and its level, the root first. */
  readonly tables: { readonly gpa: number; readonly level: number }[] = [];
  readonly #ram: Ram;
  readonly #levels: PagingLevels;
  #nextTable: number;

  /** Tables are laid out from `firstTable` on, one page each. */
  constructor(ram: Ram, levels: PagingLevels, firstTable: number) {
    this.#ram = ram;
    this.#levels = levels;
    this.#nextTable = firstTable;
    this.root = this.#newTable(levels);
  }

  map(address: bigint, gpa: number, leafLevel: LeafLevel): void {
    const size = leafLevel > 1 ? largePage : 0n;
    this.setEntry(address, leafLevel, BigInt(gpa) | entryFlags | size | noise);
  }

  /** Where the entry for `address` at `level` lies in RAM; tables above it are made as needed. */
  entryAt(address: bigint, level: number): number {
    let table = this.root;
    for (let above: number = this.#levels; ; above--) {
      const at = table + Number((address >> BigInt(levelShift[above])) & 511n) * 8;
      if (above === level) {
        return at;
      }
      let entry = this.#ram.bytes.readBigUInt64LE(at);
      if (entry === 0n) {
        entry = BigInt(this.#newTable(above - 1)) | entryFlags;
        this.#ram.bytes.writeBigUInt64LE(entry, at);
      }
      table = Number(entry & ~0xfffn);
    }
  }

  setEntry(address: bigint, level: number, entry: bigint): void {
    this.#ram.bytes.writeBigUInt64LE(entry, this.entryAt(address, level));
  }

  #newTable(level: number): number {
    const gpa = this.#nextTable;
    this.#nextTable += 4096;
    this.tables.push({ gpa, level });
    return gpa;
  }
}
