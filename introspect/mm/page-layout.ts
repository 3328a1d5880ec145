// Where the members of struct page stand, as indices of 32-bit words, for loops over the memmap (include/linux/mm_types.h).
import { expect, Inconsistency } from '../inconsistency.js';
import type { KernelTypes, StructTypes } from '../kernel/kernel-types.js';

export interface PageLayout {
  /** Words per struct page. */
  readonly strideWords: number;
  readonly flags: number;
  /** In a tail page bit 0 is set, and the rest leads to the head. */
  readonly compoundHead: number;
  /** How it leads there: true: a mask over the tail's own address (7.1 on), false: the head's address. */
  readonly tailsHoldMask: boolean;
  readonly mapping: number;
  /** Page index in the file, 64 bits. */
  readonly index: number;
  /** Order of a free block, in the buddy's head. */
  readonly private: number;
  /** `_mapcount`, or the page type. */
  readonly type: number;
  readonly refcount: number;
  readonly order: SecondPageByte;
  /** The byte that says what a compound page is (`compound_dtor`, to 6.5); undefined since. */
  readonly destructor: SecondPageByte | undefined;
}

/** A byte in the struct page after a compound head's: which word, and how far up in it. */
export interface SecondPageByte {
  readonly word: number;
  readonly shift: number;
}

export function pageLayout(btf: KernelTypes): PageLayout {
  const page = expect(btf.struct('page'), 'struct page');
  const word = (...paths: string[]): number => wordOf(page, ...paths);
  return {
    strideWords: page.sizeBytes / 4,
    // A struct of its own since 6.18.
    flags: word('flags.f', 'flags'),
    compoundHead: word('compound_info', 'compound_head'),
    // The mask came with tails that several huge pages of a zone share (mm/sparse-vmemmap.c); it needs a size that is
    // a power of two.
    tailsHoldMask:
      btf.struct('zone')?.member('vmemmap_tails') !== undefined &&
      Number.isInteger(Math.log2(page.sizeBytes)),
    mapping: word('mapping'),
    // page.index became __folio_index in 6.16.
    index: word('index', '__folio_index'),
    private: word('private'),
    type: word('_mapcount'),
    refcount: word('_refcount'),
    order: compoundOrder(btf, page),
    destructor: compoundDestructor(page),
  };
}

/** One byte: `_folio_order` (6.1), `compound_order` (before), the low byte of the folio's second flags word (6.6 on). */
function compoundOrder(btf: KernelTypes, page: StructTypes): SecondPageByte {
  const offsetBytes =
    btf.struct('folio')?.member('_folio_order')?.offsetBytes ??
    offsetInSecond(page.member('compound_order')?.offsetBytes, page) ??
    btf.struct('folio')?.member('_flags_1.f', '_flags_1')?.offsetBytes;
  const within = expect(offsetBytes, 'the order of compound pages') - page.sizeBytes;
  if (within < 0 || within >= page.sizeBytes) {
    throw new Inconsistency('the order of compound pages is not in their second struct page');
  }
  return secondPageByte(within);
}

function compoundDestructor(page: StructTypes): SecondPageByte | undefined {
  const offsetBytes = page.member('compound_dtor')?.offsetBytes;
  return offsetBytes === undefined ? undefined : secondPageByte(offsetBytes);
}

function secondPageByte(offsetBytes: number): SecondPageByte {
  return { word: offsetBytes >> 2, shift: (offsetBytes & 3) * 8 };
}

function offsetInSecond(offsetBytes: number | undefined, page: StructTypes): number | undefined {
  return offsetBytes === undefined ? undefined : offsetBytes + page.sizeBytes;
}

/** The index of the 32-bit word that a member stands at. Throws Inconsistency where it stands within one. */
export function wordOf(page: StructTypes, ...paths: string[]): number {
  const { offsetBytes } = expect(page.member(...paths), `page.${paths.join(' or page.')}`);
  if (offsetBytes % 4 !== 0) {
    throw new Inconsistency(`page.${paths[0]} lies at byte ${offsetBytes}, no multiple of 4`);
  }
  return offsetBytes / 4;
}
