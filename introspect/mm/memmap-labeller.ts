// The hot loop: one label per struct page, from the memmap in ascending order.
//
// Only heads say what a block is, so the loop carries the block it is in: a buddy head's order, or a compound head's.
// Every frame inside is still checked; one that does not fit breaks the block, and what it touched becomes `unknown`.
// A page is labelled file-reread only if all of kernel-side reclaim's own conditions for dropping it hold
// (mm/vmscan.c, shrink_folio_list) and its file is proven (mapping.ts).
//
// Neighbours are mostly alike, so a page that repeats the words of the one before it takes that one's label.
import { pageSizeBytes, type Pfn } from '../memory/physical-memory.js';
import { labelNumbers } from '../page-class.js';
import { mappingKinds, type Mappings } from './cache/mapping.js';
import type { Memmap } from './memmap.js';
import type { PageFlagMasks } from './page-flags.js';
import type { PageLayout } from './page-layout.js';
import type { PageTypes, PageTypeTest } from './page-type.js';

/** Largest order a compound page can have: a 1 GiB page. */
const largestOrder = 18;
const wordBytes = 4;
const anonymousMappingBit = 1;
const mappingTagMask = 3;
const ksmMappingTag = 3;
/** `_mapcount` of a page that is neither mapped nor typed, as a signed word. */
const untypedWord = -1;
/**
 * How a page of a network driver's pool is signed where others have `lru.next` (PP_SIGNATURE plus the poison base,
 * net/core/page_pool.c). Bits between may hold an index since 6.16.
 */
export const poolSignature = { lowMask: 0x7c, low: 0x40, highShift: 16, high: 0xdead } as const;

export interface LabellerContext {
  readonly layout: PageLayout;
  readonly flags: PageFlagMasks;
  readonly types: PageTypes;
  /** `compound_dtor` of hugetlb pages; undefined where a page type says it. */
  readonly hugetlbDestructor: number | undefined;
  /** How far the upper half of the flags word is shifted to leave node and zone. */
  readonly zoneShift: number;
  readonly mappings: Mappings;
  /** Orders of the buddy allocator: blocks have 0 .. count - 1. */
  readonly buddyOrderCount: number;
  readonly memmap: Memmap;
}

/** A page type's test over signed words. A type that the kernel lacks matches nothing. */
interface WordTest {
  readonly mask: number;
  readonly match: number;
}

export class MemmapLabeller {
  /** Free blocks seen. Index: node and zone as they stand in the flags, times `buddyOrderCount`, plus order. */
  readonly freeBlockCounts = new Map<number, number>();
  /** Blocks with a frame that did not fit, and frames of no block that should be in one. */
  brokenBlockCount = 0;

  readonly #context: LabellerContext;
  /** Types that make a label by themselves. */
  readonly #typeLabels: readonly (WordTest & { readonly label: number })[];
  /** Flags that leave doubt whether a file page is clean. */
  readonly #doubtful: number;
  /** The block that the loop is in: frames below `#blockEnd` belong to the head at `#blockStart`. */
  #blockIsFree = true;
  #blockStart = 0;
  #blockEnd = 0;
  #blockLabel = 0;
  /** What a tail's compound_head must be. */
  #tailLow = 0;
  #tailHigh = 0;
  #blockZone = 0;
  /**
   * Whether the page labelled last owes its label to nothing but the words that `label` compares, and to an index below
   * `#indexLimit`.
   */
  #repeatable = false;
  /** The index below which the page labelled last keeps its label; below 0 when the label does not hang on the index. */
  #indexLimit = -1;

  constructor(context: LabellerContext) {
    const { types, flags } = context;
    this.#context = context;
    this.#doubtful = flags.all & ~flags.harmlessForCleanFile;
    this.#typeLabels = [
      { ...wordTest(types.slab), label: labelNumbers.slab },
      { ...wordTest(types.table), label: labelNumbers['page-table'] },
      { ...wordTest(types.hugetlb), label: labelNumbers.hugetlb },
      { ...wordTest(types.offline), label: labelNumbers.offline },
      { ...wordTest(types.zsmalloc), label: labelNumbers.zsmalloc },
      { ...wordTest(types.largeKmalloc), label: labelNumbers['large-kmalloc'] },
    ];
  }

  /** One past the free block that the loop is in; 0 when it is in none. */
  get freeBlockEnd(): Pfn {
    return this.#blockIsFree ? this.#blockEnd : 0;
  }

  /**
   * Labels `count` frames from `firstPfn`, whose struct pages are `words`, into `labels` from `labelOffset`. Calls go
   * in ascending order; `endRun` says that the next one does not go on where the last one ended.
   */
  label(
    words: Int32Array,
    count: number,
    firstPfn: Pfn,
    labels: Uint8Array,
    labelOffset: number,
  ): void {
    const { layout, flags: masks, types } = this.#context;
    const stride = layout.strideWords;
    const { flags: flagsWord, compoundHead: headWord, type: typeWord } = layout;
    const { refcount: refcountWord, mapping: mappingWord, index: indexWord } = layout;
    const buddy = wordTest(types.buddy);
    // What the page before this one was, if its label may be repeated.
    let repeatable = false;
    let lastFlags = 0;
    let lastType = 0;
    let lastRefcount = 0;
    let lastMappingLow = 0;
    let lastMappingHigh = 0;
    let lastLabel = 0;
    for (let index = 0; index < count;) {
      const pfn = firstPfn + index;
      const at = labelOffset + index;
      if (pfn < this.#blockEnd) {
        const end = Math.min(this.#blockEnd - firstPfn, count);
        const fitting = this.#fittingEnd(words, index, end);
        labels.fill(this.#blockLabel, at, labelOffset + fitting);
        if (fitting < end) {
          const broken = labelOffset + fitting;
          this.#breakBlock(labels, broken - (firstPfn + fitting - this.#blockStart), broken);
          labels[broken] = labelNumbers.unknown;
        }
        index = fitting < end ? fitting + 1 : end;
        repeatable = false;
        continue;
      }
      const base = index * stride;
      const flags = words[base + flagsWord];
      const type = words[base + typeWord];
      const isTail = (words[base + headWord] & 1) !== 0;
      if (
        repeatable &&
        !isTail &&
        flags === lastFlags &&
        type === lastType &&
        words[base + refcountWord] === lastRefcount &&
        words[base + mappingWord] === lastMappingLow &&
        words[base + mappingWord + 1] === lastMappingHigh &&
        (this.#indexLimit < 0 ||
          (words[base + indexWord + 1] === 0 && words[base + indexWord] >>> 0 < this.#indexLimit))
      ) {
        labels[at] = lastLabel;
        index++;
        continue;
      }
      repeatable = false;
      if (isTail) {
        // A tail outside its head's block: nothing is known of it.
        labels[at] = labelNumbers.unknown;
        this.brokenBlockCount++;
      } else if (
        (type & buddy.mask) === buddy.match &&
        type !== untypedWord &&
        (flags & masks.slab) === 0
      ) {
        labels[at] = this.#labelFree(words, base, pfn);
      } else if ((flags & masks.head) !== 0) {
        // Heads are aligned, so the next struct page is always in the same call.
        labels[at] = this.#labelCompound(words, base, pfn, index + 1 < count);
      } else {
        lastLabel = this.#labelInUse(words, base, 0);
        labels[at] = lastLabel;
        repeatable = this.#repeatable;
        lastFlags = flags;
        lastType = type;
        lastRefcount = words[base + refcountWord];
        lastMappingLow = words[base + mappingWord];
        lastMappingHigh = words[base + mappingWord + 1];
      }
      index++;
    }
  }

  endRun(labels: Uint8Array, nextPfn: Pfn, labelOffset: number): void {
    if (this.#blockEnd > nextPfn) {
      this.#breakBlock(labels, labelOffset - (nextPfn - this.#blockStart), labelOffset);
    }
    this.#blockEnd = 0;
  }

  /** The first frame from `index` on that does not fit the block, or `end`. */
  #fittingEnd(words: Int32Array, index: number, end: number): number {
    const { layout, zoneShift } = this.#context;
    const stride = layout.strideWords;
    const { compoundHead, refcount, type } = layout;
    const zoneWord = layout.flags + 1;
    const lastBase = end * stride;
    let base = index * stride;
    if (this.#blockIsFree) {
      const zone = this.#blockZone;
      while (
        base < lastBase &&
        words[base + refcount] === 0 &&
        words[base + type] === untypedWord &&
        (words[base + compoundHead] & 1) === 0 &&
        words[base + zoneWord] >>> zoneShift === zone
      ) {
        base += stride;
      }
    } else {
      const low = this.#tailLow;
      const high = this.#tailHigh;
      const isTail = (at: number): boolean =>
        words[at + compoundHead] === low && words[at + compoundHead + 1] === high;
      while (base < lastBase && (isTail(base) || this.#isHeadsDouble(base, isTail))) {
        base += stride;
      }
    }
    return base / stride;
  }

  /**
   * Whether it is the head of a huge page, seen again in place of a tail: up to 7.0 the kernel may give back the memmap
   * of a huge page's tails and map the head's own page there (mm/hugetlb_vmemmap.c; page_fixed_fake_head in
   * include/linux/page-flags.h). It stands at the start of a page, and the struct page after it is a tail.
   */
  #isHeadsDouble(base: number, isTail: (at: number) => boolean): boolean {
    return (
      this.#blockLabel === labelNumbers.hugetlb &&
      (base * wordBytes) % pageSizeBytes === 0 &&
      isTail(base + this.#context.layout.strideWords)
    );
  }

  /** The head of a free block. */
  #labelFree(words: Int32Array, base: number, pfn: Pfn): number {
    const { layout, zoneShift, buddyOrderCount } = this.#context;
    const order = words[base + layout.private] >>> 0;
    if (
      order >= buddyOrderCount ||
      pfn % (1 << order) !== 0 ||
      words[base + layout.refcount] !== 0
    ) {
      this.brokenBlockCount++;
      return labelNumbers.unknown;
    }
    this.#blockZone = words[base + layout.flags + 1] >>> zoneShift;
    const key = this.#blockZone * buddyOrderCount + order;
    this.freeBlockCounts.set(key, (this.freeBlockCounts.get(key) ?? 0) + 1);
    this.#openBlock(true, pfn, order, labelNumbers.free);
    return labelNumbers.free;
  }

  /** The head of a compound page. */
  #labelCompound(words: Int32Array, base: number, pfn: Pfn, secondIsThere: boolean): number {
    const { layout, hugetlbDestructor } = this.#context;
    const second = base + layout.strideWords;
    const order = secondIsThere
      ? (words[second + layout.order.word] >>> layout.order.shift) & 0xff
      : 0;
    if (order === 0 || order > largestOrder || pfn % (1 << order) !== 0) {
      this.brokenBlockCount++;
      return labelNumbers.unknown;
    }
    const isHugetlb =
      hugetlbDestructor !== undefined &&
      layout.destructor !== undefined &&
      ((words[second + layout.destructor.word] >>> layout.destructor.shift) & 0xff) ===
        hugetlbDestructor;
    const label = isHugetlb ? labelNumbers.hugetlb : this.#labelInUse(words, base, order);
    this.#openBlock(false, pfn, order, label);
    const { base: memmapBase, structPageBytes } = this.#context.memmap;
    const tail = layout.tailsHoldMask
      ? BigInt.asUintN(64, -(BigInt(structPageBytes) << BigInt(order))) | 1n
      : memmapBase + BigInt(pfn) * BigInt(structPageBytes) + 1n;
    this.#tailLow = Number(BigInt.asIntN(32, tail));
    this.#tailHigh = Number(BigInt.asIntN(32, tail >> 32n));
    return label;
  }

  /** A page that is no tail and not in the buddy allocator. */
  #labelInUse(words: Int32Array, base: number, order: number): number {
    const { layout, flags: masks } = this.#context;
    const flags = words[base + layout.flags];
    const type = words[base + layout.type];
    this.#indexLimit = -1;
    this.#repeatable = true;
    if ((flags & masks.slab) !== 0) {
      return labelNumbers.slab;
    }
    if (type < 0 && type !== untypedWord) {
      return this.#labelTyped(type, flags);
    }
    if ((flags & masks.reserved) !== 0) {
      return labelNumbers.reserved;
    }
    if ((flags & masks.hwpoison) !== 0 && order === 0) {
      return labelNumbers.hwpoison;
    }
    const mappingLow = words[base + layout.mapping];
    const mappingHigh = words[base + layout.mapping + 1];
    const swapCache =
      masks.swapcache !== 0 && (flags & masks.swapbacked) !== 0 && (flags & masks.swapcache) !== 0;
    if ((mappingLow & anonymousMappingBit) !== 0) {
      return (flags & (masks.lru | masks.swapbacked)) === 0
        ? labelNumbers.other
        : (mappingLow & mappingTagMask) === ksmMappingTag
          ? labelNumbers.ksm
          : swapCache
            ? labelNumbers['swap-cache']
            : labelNumbers.anon;
    }
    if ((mappingLow | mappingHigh) === 0 || (mappingLow & mappingTagMask) !== 0) {
      // Only in the swap cache does a page without a mapping carry user data.
      return (flags & masks.swapbacked) !== 0
        ? swapCache
          ? labelNumbers['swap-cache']
          : labelNumbers.anon
        : this.#labelUnmarked(words, base);
    }
    if ((flags & masks.swapbacked) !== 0) {
      return labelNumbers.shmem;
    }
    return words[base + layout.refcount] === 0
      ? labelNumbers.other
      : this.#labelFile(words, base, order, flags, mappingLow, mappingHigh);
  }

  /** A page whose type stands where others count their mappings. */
  #labelTyped(type: number, flags: number): number {
    for (const { mask, match, label } of this.#typeLabels) {
      if ((type & mask) === match) {
        return label;
      }
    }
    return (flags & this.#context.flags.reserved) !== 0
      ? labelNumbers.reserved
      : labelNumbers.other;
  }

  #labelUnmarked(words: Int32Array, base: number): number {
    const { layout } = this.#context;
    this.#repeatable = false;
    const low = words[base + layout.compoundHead];
    const high = words[base + layout.compoundHead + 1];
    return (low & poolSignature.lowMask) === poolSignature.low &&
      high >>> poolSignature.highShift === poolSignature.high &&
      words[base + layout.refcount] !== 0
      ? labelNumbers['page-pool']
      : labelNumbers.other;
  }

  #labelFile(
    words: Int32Array,
    base: number,
    order: number,
    flags: number,
    mappingLow: number,
    mappingHigh: number,
  ): number {
    const { layout, flags: masks, mappings } = this.#context;
    const row = mappings.find(mappingLow >>> 0, mappingHigh >>> 0);
    const kind = mappings.kind[row];
    if (kind === mappingKinds.memoryFile) {
      return labelNumbers.shmem;
    }
    if ((flags & masks.lru) === 0 && kind === mappingKinds.unproven) {
      // Drivers use the word for their own; only a page on a reclaim list is surely page cache.
      return labelNumbers.other;
    }
    if (kind === mappingKinds.blockDevice) {
      return labelNumbers['block-device'];
    }
    if ((flags & masks.busy) !== 0 || (flags & masks.uptodate) === 0) {
      return labelNumbers['file-dirty'];
    }
    const droppable =
      kind === mappingKinds.diskFile &&
      (flags & masks.lru) !== 0 &&
      (flags & this.#doubtful) === 0 &&
      words[base + layout.type] === untypedWord &&
      // The cache itself holds one reference per page: none is left for a mapping or a pin.
      words[base + layout.refcount] === 1 << order &&
      words[base + layout.index + 1] === 0 &&
      words[base + layout.index] >>> 0 < mappings.pageCount[row];
    if (!droppable) {
      this.#repeatable = kind !== mappingKinds.diskFile;
      return labelNumbers['file-clean'];
    }
    this.#indexLimit = mappings.pageCount[row];
    return labelNumbers['file-reread'];
  }

  #openBlock(isFree: boolean, pfn: Pfn, order: number, label: number): void {
    this.#blockIsFree = isFree;
    this.#blockStart = pfn;
    this.#blockEnd = pfn + (1 << order);
    this.#blockLabel = label;
  }

  /** Takes back what the block was labelled so far. */
  #breakBlock(labels: Uint8Array, from: number, to: number): void {
    labels.fill(labelNumbers.unknown, from, to);
    this.#blockEnd = 0;
    this.brokenBlockCount++;
  }
}

function wordTest(test: PageTypeTest | undefined): WordTest {
  // No type is 0 under a mask of 0 but by matching 1.
  return test === undefined
    ? { mask: 0, match: 1 }
    : { mask: test.mask | 0, match: test.match | 0 };
}
