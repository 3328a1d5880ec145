// The kernel's own account of its page frames, as a guest dumped it from
// /proc/kpageflags: one little-endian u64 for each page frame number, from 0.
// The bit numbers are kernel ABI (include/uapi/linux/kernel-page-flags.h).

import { readFileSync } from 'node:fs';

export const KPF = {
  locked: 0,
  error: 1,
  referenced: 2,
  uptodate: 3,
  dirty: 4,
  lru: 5,
  active: 6,
  slab: 7,
  writeback: 8,
  reclaim: 9,
  buddy: 10,
  mmap: 11,
  anon: 12,
  swapcache: 13,
  swapbacked: 14,
  compoundHead: 15,
  compoundTail: 16,
  huge: 17,
  unevictable: 18,
  hwpoison: 19,
  noPage: 20,
  ksm: 21,
  thp: 22,
  offline: 23,
  zeroPage: 24,
  idle: 25,
  pageTable: 26,
  reserved: 32,
  mlocked: 33,
  ownerTwo: 34,
  private: 35,
  privateTwo: 36,
  ownerPrivate: 37,
} as const;

export type KpfName = keyof typeof KPF;

export class Kpageflags {
  readonly #flags: BigUint64Array;

  constructor(flags: BigUint64Array) {
    this.#flags = flags;
  }

  static fromFile(path: string): Kpageflags {
    return Kpageflags.fromBytes(readFileSync(path));
  }

  static fromBytes(bytes: Uint8Array): Kpageflags {
    if (bytes.length === 0 || bytes.length % 8 !== 0) {
      throw new Error(
        `expected kpageflags as whole u64 entries, found ${bytes.length} bytes; was the dump cut short?`,
      );
    }
    // A copy: a Buffer may start at any offset, a u64 array only at multiples of 8.
    return new Kpageflags(new BigUint64Array(Uint8Array.from(bytes).buffer));
  }

  /** Page frame numbers run from 0 up to this; frames in holes have `noPage`. */
  get pfnCount(): number {
    return this.#flags.length;
  }

  at(pfn: number): bigint {
    const flags = this.#flags.at(pfn);
    if (flags === undefined || pfn < 0) {
      throw new RangeError(`expected a pfn below ${this.pfnCount}, found ${pfn}`);
    }
    return flags;
  }

  has(pfn: number, name: KpfName): boolean {
    return ((this.at(pfn) >> BigInt(KPF[name])) & 1n) === 1n;
  }

  /** Flags 0 to 31 of every page frame. */
  lowWords(): Uint32Array {
    return this.#words(0);
  }

  /** Flags 32 to 63 of every page frame. */
  highWords(): Uint32Array {
    return this.#words(1);
  }

  count(name: KpfName): number {
    const mask = 1n << BigInt(KPF[name]);
    return this.#flags.reduce((count, flags) => count + ((flags & mask) === 0n ? 0 : 1), 0);
  }

  #words(half: 0 | 1): Uint32Array {
    const words = new Uint32Array(this.#flags.buffer);
    return Uint32Array.from({ length: this.pfnCount }, (_, pfn) => words[pfn * 2 + half]);
  }
}
