// One struct page as a person reads it in a debugger: every word, and what the kernel's own types make of it.
import { expect } from '../inconsistency.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Pfn } from '../memory/physical-memory.js';
import type { Memmap } from '../mm/memmap.js';
import { type PageFlagMasks, pageFlagMasks } from '../mm/page-flags.js';
import { pageLayout, type SecondPageByte } from '../mm/page-layout.js';
import { pageTypes, untyped } from '../mm/page-type.js';
import { zoneBits } from '../mm/zones/zone.js';

/** What the two low bits of `mapping` say of the rest (include/linux/page-flags.h). */
export const mappingTags = ['address-space', 'anon', 'movable', 'ksm'] as const;
export type MappingTag = (typeof mappingTags)[number];

export interface StructPage {
  readonly pfn: Pfn;
  /** Kernel virtual address. */
  readonly address: bigint;
  readonly words: readonly bigint[];
  /** The lower half of the flags word. */
  readonly flags: number;
  readonly flagNames: readonly string[];
  readonly node: number;
  /** enum zone_type, as it stands in the flags. */
  readonly zoneIndex: number;
  /** Undefined unless this is a tail of a compound page. */
  readonly headPfn: Pfn | undefined;
  readonly isTail: boolean;
  /** The u32 over `_mapcount`. */
  readonly typeWord: number;
  /** Name of the page type, `unnamed` where the kernel's types do not name it; undefined where the word counts mappings. */
  readonly type: string | undefined;
  /** Undefined where a type stands in its place. */
  readonly mapCount: number | undefined;
  readonly refCount: number;
  readonly private: bigint;
  readonly mapping: bigint;
  readonly mappingTag: MappingTag;
  readonly index: bigint;
  /** `lru.next`, or what others keep there. */
  readonly listNext: bigint;
}

export class StructPages {
  readonly memmap: Memmap;
  readonly flagMasks: PageFlagMasks;
  readonly layout;
  readonly types;
  readonly zoneBits;
  /** `compound_dtor` of huge pages, where no page type says it (to 6.5). */
  readonly #hugetlbDestructor: number | undefined;
  readonly #flagNames: readonly (readonly [name: string, bit: number])[];
  readonly #typeNames: ReadonlyMap<number, string>;

  constructor(kernel: Kernel, memmap: Memmap) {
    const { btf, vmcoreinfo } = kernel;
    this.memmap = memmap;
    this.layout = pageLayout(btf);
    this.flagMasks = pageFlagMasks(btf);
    this.types = pageTypes(vmcoreinfo, btf);
    this.zoneBits = zoneBits(kernel);
    this.#hugetlbDestructor = btf.enumeration('compound_dtor_id')?.get('HUGETLB_PAGE_DTOR');
    this.#flagNames = firstNames(expect(btf.enumeration('pageflags'), 'enum pageflags'));
    this.#typeNames = new Map(
      [...(btf.enumeration('pagetype') ?? [])].map(([name, value]) => [value, name]),
    );
  }

  /** Throws Inconsistency where the memmap is not mapped. */
  at(pfn: Pfn): StructPage {
    const { layout, memmap } = this;
    const bytes = Buffer.alloc(memmap.structPageBytes);
    memmap.read(pfn, bytes);
    const u32 = (word: number): number => bytes.readUInt32LE(word * 4);
    const u64 = (word: number): bigint => bytes.readBigUInt64LE(word * 4);
    const flags = u32(layout.flags);
    const place = u32(layout.flags + 1) >>> this.zoneBits.shift;
    const typeWord = u32(layout.type);
    const type = this.#typeName(typeWord);
    const listNext = u64(layout.compoundHead);
    const isTail = (listNext & 1n) !== 0n;
    const address = memmap.base + BigInt(pfn) * BigInt(memmap.structPageBytes);
    const mapping = u64(layout.mapping);
    return {
      pfn,
      address,
      words: Array.from({ length: bytes.length / 8 }, (_, word) => bytes.readBigUInt64LE(word * 8)),
      flags,
      flagNames: this.namesOf(flags),
      node: place >>> this.zoneBits.zoneWidth,
      zoneIndex: place & (2 ** this.zoneBits.zoneWidth - 1),
      headPfn: isTail ? this.#headOf(address, listNext) : undefined,
      isTail,
      typeWord,
      type,
      mapCount: type === undefined ? (typeWord + 1) | 0 : undefined,
      refCount: bytes.readInt32LE(layout.refcount * 4),
      private: u64(layout.private),
      mapping,
      mappingTag: mappingTags[Number(mapping & 3n)],
      index: u64(layout.index),
      listNext,
    };
  }

  /** Names of the bits that are set, as enum pageflags has them. */
  namesOf(flags: number): readonly string[] {
    return this.#flagNames.filter(([, bit]) => ((flags >>> bit) & 1) === 1).map(([name]) => name);
  }

  hasFlag({ flags }: StructPage, mask: number): boolean {
    return (flags & mask) !== 0;
  }

  /** Whether this is the head of a free block. */
  isBuddy(page: StructPage): boolean {
    const { mask, match } = this.types.buddy;
    return (
      !page.isTail &&
      page.typeWord !== untyped &&
      (page.typeWord & mask) >>> 0 === match &&
      !this.hasFlag(page, this.flagMasks.slab)
    );
  }

  /** Order that the head of a compound page states in the struct page after it. */
  compoundOrder(head: StructPage): number {
    return this.#secondPageByte(head, this.layout.order);
  }

  hasHugetlbDestructor(head: StructPage): boolean {
    const { destructor } = this.layout;
    return (
      this.#hugetlbDestructor !== undefined &&
      destructor !== undefined &&
      this.#secondPageByte(head, destructor) === this.#hugetlbDestructor
    );
  }

  #secondPageByte({ pfn }: StructPage, { word, shift }: SecondPageByte): number {
    const second = Buffer.alloc(this.memmap.structPageBytes);
    this.memmap.read(pfn + 1, second);
    return (second.readUInt32LE(word * 4) >>> shift) & 0xff;
  }

  /** A tail holds its head's address, or since 7.1 a mask over its own. */
  #headOf(address: bigint, word: bigint): Pfn | undefined {
    const head = this.layout.tailsHoldMask ? address & (word & ~1n) : word & ~1n;
    const offset = head - this.memmap.base;
    const structPageBytes = BigInt(this.memmap.structPageBytes);
    return offset >= 0n && offset % structPageBytes === 0n
      ? Number(offset / structPageBytes)
      : undefined;
  }

  #typeName(word: number): string | undefined {
    // Mappings count upwards from -1.
    if (word === untyped || word < 0x8000_0000) {
      return undefined;
    }
    const known = Object.entries(this.types).find(
      ([, test]: readonly [string, { mask: number; match: number } | undefined]) =>
        // Masks are signed to `&`, so both sides are compared unsigned.
        (word & (test?.mask ?? 0)) >>> 0 === (test?.match ?? 1),
    );
    return known?.[0] ?? this.#typeNames.get(word >>> 24) ?? 'unnamed';
  }
}

/** Several names may share a bit; the first is the bit's own, the others are what some owners use it for. */
function firstNames(
  enumeration: ReadonlyMap<string, number>,
): readonly (readonly [name: string, bit: number])[] {
  const byBit = new Map<number, string>();
  const count = enumeration.get('__NR_PAGEFLAGS') ?? 32;
  for (const [name, bit] of enumeration) {
    if (bit >= 0 && bit < count && !byBit.has(bit)) {
      byBit.set(bit, name);
    }
  }
  return [...byBit].map(([bit, name]) => [name, bit] as const).sort((a, b) => a[1] - b[1]);
}
