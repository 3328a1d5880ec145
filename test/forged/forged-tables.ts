// Page tables of a forger's own: those of the kernel, copied table by table where he wants an address to lead elsewhere.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import type { Forger } from './forger.js';

const present = 1n;
const largePage = 1n << 7n;
const addressMask = 0x000f_ffff_ffff_f000n;
/** Present, accessed, dirty, global, and not writable: as the kernel maps its tables of symbols and types. */
const leafFlags = 0x161n;
const tableFlags = 0x67n;
const entryCount = 512;

export class ForgedTables {
  readonly root: number;
  readonly #forger: Forger;
  readonly #levels: number;
  readonly #own = new Set<number>();

  /** `from`: a top-level table to begin with; none: an empty one. `root`: where the new one is to be. */
  constructor(forger: Forger, levels: number, from: number | undefined, root?: number) {
    this.#forger = forger;
    this.#levels = levels;
    this.root = root ?? forger.take() * pageSizeBytes;
    const bytes = Buffer.alloc(pageSizeBytes);
    if (from !== undefined) {
      forger.ram.bytes.copy(bytes, 0, from, from + pageSizeBytes);
    }
    forger.ram.write(this.root, bytes);
    this.#own.add(this.root);
  }

  get tableGpas(): readonly number[] {
    return [...this.#own];
  }

  /** Lets the page of `address` lead to the frame at `gpa`. */
  map(address: bigint, gpa: number): void {
    const { ram } = this.#forger;
    let table = this.root;
    for (let level = this.#levels; level > 1; level--) {
      const at = table + this.#index(address, level) * 8;
      table = this.#ownTable(at, ram.u64(at), level);
    }
    ram.setU64(table + this.#index(address, 1) * 8, BigInt(gpa) | leafFlags);
  }

  /** Where the entry of the lowest level that maps the address stands. */
  entryOf(address: bigint): number | undefined {
    let table = this.root;
    for (let level = this.#levels; level >= 1; level--) {
      const at = table + this.#index(address, level) * 8;
      const entry = this.#forger.ram.u64(at);
      if (level === 1 || (entry & present) === 0n || (level <= 3 && (entry & largePage) !== 0n)) {
        return at;
      }
      table = Number(entry & addressMask);
    }
    return undefined;
  }

  #index(address: bigint, level: number): number {
    return Number((address >> BigInt(12 + 9 * (level - 1))) & 511n);
  }

  /** The table that the entry leads to, as one that may be changed. */
  #ownTable(at: number, entry: bigint, level: number): number {
    const { ram } = this.#forger;
    const target = Number(entry & addressMask);
    if ((entry & present) !== 0n && this.#own.has(target)) {
      return target;
    }
    const copy = this.#forger.take() * pageSizeBytes;
    const bytes = Buffer.alloc(pageSizeBytes);
    if ((entry & present) !== 0n && level <= 3 && (entry & largePage) !== 0n) {
      // A large page becomes a table of smaller ones.
      const step = 2 ** (12 + 9 * (level - 2));
      const base = target - (target % (step * entryCount));
      const flags = (entry & 0xfffn & ~largePage) | (level > 2 ? largePage : 0n);
      for (let index = 0; index < entryCount; index++) {
        bytes.writeBigUInt64LE(BigInt(base + index * step) | flags, index * 8);
      }
    } else if ((entry & present) !== 0n) {
      ram.bytes.copy(bytes, 0, target, target + pageSizeBytes);
    }
    ram.write(copy, bytes);
    this.#own.add(copy);
    ram.setU64(at, BigInt(copy) | tableFlags);
    return copy;
  }
}
