// The hot loop: one label per struct page, from the memmap in ascending order.
//
// Only heads say what a block is, so the loop carries the block it is in: a buddy head's order, or a compound head's.
// Every frame inside is still checked; one that does not fit breaks the block, and what it touched becomes `unknown`.
// A page is labelled file-reread only if all of kernel-side reclaim's own conditions for dropping it hold
// (mm/vmscan.c, shrink_folio_list) and its file is proven (mapping.ts).
import { labelNumbers } from '../page-class.js';
import type { Pfn } from '../memory/physical-memory.js';
import { type Mappings, mappingKinds } from './mapping.js';
import type { PageFlagMasks } from './page-flags.js';
import type { PageLayout } from './page-layout.js';
import { type PageTypes, untyped } from './page-type.js';
import type { Memmap } from './memmap.js';

/** Largest order a compound page can have: a 1 GiB page. */
const largestOrder = 18;
const anonymousMappingBit = 1;
const mappingTagMask = 3;
const blockKinds = { buddy: 1, compound: 2 } as const;

export interface LabellerContext {
  readonly layout: PageLayout;
  readonly flags: PageFlagMasks;
  readonly types: PageTypes;
  /** How far the upper half of the flags word is shifted to leave node and zone. */
  readonly zoneShift: number;
  readonly mappings: Mappings;
  /** Orders of the buddy allocator: blocks have 0 .. count - 1. */
  readonly buddyOrderCount: number;
  readonly memmap: Memmap;
}

export class MemmapLabeller {
  /** Free blocks seen. Index: node and zone as they stand in the flags, times `buddyOrderCount`, plus order. */
  readonly freeBlockCounts = new Map<number, number>();
  /** Blocks with a frame that did not fit, and frames of no block that should be in one. */
  brokenBlockCount = 0;

  readonly #context: LabellerContext;
  /** Flags that leave doubt whether a file page is clean. */
  readonly #doubtful: number;
  /** The block that the loop is in: frames below `#blockEnd` belong to the head at `#blockStart`. */
  #blockKind: number = blockKinds.buddy;
  #blockStart = 0;
  #blockEnd = 0;
  #blockLabel = 0;
  /** What a tail's compound_head must be: the head's address with bit 0 set. */
  #tailLow = 0;
  #tailHigh = 0;
  #blockZone = 0;

  constructor(context: LabellerContext) {
    this.#context = context;
    this.#doubtful = context.flags.all & ~context.flags.harmlessForCleanFile;
  }

  /**
   * Labels `count` frames from `firstPfn`, whose struct pages are `words`, into `labels` from `labelOffset`. Calls go
   * in ascending order; `endRun` says that the next one does not go on where the last one ended.
   */
  label(
    words: Uint32Array,
    count: number,
    firstPfn: Pfn,
    labels: Uint8Array,
    labelOffset: number,
  ): void {
    const { layout, flags: masks, types } = this.#context;
    const stride = layout.strideWords;
    const headWord = layout.compoundHead;
    const buddyMask = types.buddy.mask | 0;
    const buddyMatch = types.buddy.match | 0;
    for (let index = 0, base = 0; index < count; index++, base += stride) {
      const pfn = firstPfn + index;
      const at = labelOffset + index;
      if (pfn < this.#blockEnd) {
        if (this.#fitsBlock(words, base)) {
          labels[at] = this.#blockLabel;
        } else {
          this.#breakBlock(labels, at - (pfn - this.#blockStart), at);
          labels[at] = labelNumbers.unknown;
        }
        continue;
      }
      const flags = words[base + layout.flags];
      const type = words[base + layout.type];
      if ((words[base + headWord] & 1) !== 0) {
        // A tail outside its head's block: nothing is known of it.
        labels[at] = labelNumbers.unknown;
        this.brokenBlockCount++;
      } else if (
        (type & buddyMask) === buddyMatch &&
        type !== untyped &&
        (flags & masks.slab) === 0
      ) {
        labels[at] = this.#labelFree(words, base, pfn);
      } else if ((flags & masks.head) !== 0) {
        const order =
          index + 1 < count
            ? (words[base + stride + layout.order.word] >>> layout.order.shift) & 0xff
            : 0;
        labels[at] = this.#labelCompound(words, base, pfn, order);
      } else {
        labels[at] = this.#labelInUse(words, base, 0);
      }
    }
  }

  endRun(labels: Uint8Array, nextPfn: Pfn, labelOffset: number): void {
    if (this.#blockEnd > nextPfn) {
      this.#breakBlock(labels, labelOffset - (nextPfn - this.#blockStart), labelOffset);
    }
    this.#blockEnd = 0;
  }

  #fitsBlock(words: Uint32Array, base: number): boolean {
    const { layout, zoneShift } = this.#context;
    const low = words[base + layout.compoundHead];
    return this.#blockKind === blockKinds.buddy
      ? words[base + layout.refcount] === 0 &&
          words[base + layout.type] === untyped &&
          (low & 1) === 0 &&
          words[base + layout.flags + 1] >>> zoneShift === this.#blockZone
      : low === this.#tailLow && words[base + layout.compoundHead + 1] === this.#tailHigh;
  }

  /** The head of a free block. */
  #labelFree(words: Uint32Array, base: number, pfn: Pfn): number {
    const { layout, zoneShift, buddyOrderCount } = this.#context;
    const order = words[base + layout.private];
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
    this.#openBlock(blockKinds.buddy, pfn, order, labelNumbers.free);
    return labelNumbers.free;
  }

  /** The head of a compound page. Heads are aligned, so the next struct page is always in the same call. */
  #labelCompound(words: Uint32Array, base: number, pfn: Pfn, order: number): number {
    if (order === 0 || order > largestOrder || pfn % (1 << order) !== 0) {
      this.brokenBlockCount++;
      return labelNumbers.unknown;
    }
    const label = this.#labelInUse(words, base, order);
    this.#openBlock(blockKinds.compound, pfn, order, label);
    const { base: memmapBase, structPageBytes } = this.#context.memmap;
    const tail = memmapBase + BigInt(pfn) * BigInt(structPageBytes) + 1n;
    this.#tailLow = Number(tail & 0xffff_ffffn);
    this.#tailHigh = Number(tail >> 32n);
    return label;
  }

  /** A page that is no tail and not in the buddy allocator. */
  #labelInUse(words: Uint32Array, base: number, order: number): number {
    const { layout, flags: masks, types } = this.#context;
    const flags = words[base + layout.flags];
    const type = words[base + layout.type];
    const mappingLow = words[base + layout.mapping];
    const mappingHigh = words[base + layout.mapping + 1];
    if (
      (flags & masks.slab) !== 0 ||
      (types.slab !== undefined && (type & types.slab.mask) === (types.slab.match | 0))
    ) {
      return labelNumbers.slab;
    }
    if ((flags & masks.reserved) !== 0) {
      return labelNumbers.reserved;
    }
    if (type >>> 31 === 1 && type !== untyped) {
      return labelNumbers.other;
    }
    if ((mappingLow & anonymousMappingBit) !== 0) {
      return (flags & (masks.lru | masks.swapbacked)) !== 0
        ? labelNumbers.anon
        : labelNumbers.other;
    }
    if ((mappingLow | mappingHigh) === 0 || (mappingLow & mappingTagMask) !== 0) {
      // Only in the swap cache does a page without a mapping carry user data.
      return (flags & masks.swapbacked) !== 0 ? labelNumbers.anon : labelNumbers.other;
    }
    if ((flags & masks.swapbacked) !== 0) {
      return labelNumbers.shmem;
    }
    return words[base + layout.refcount] === 0
      ? labelNumbers.other
      : this.#labelFile(words, base, order, flags, mappingLow, mappingHigh);
  }

  #labelFile(
    words: Uint32Array,
    base: number,
    order: number,
    flags: number,
    mappingLow: number,
    mappingHigh: number,
  ): number {
    const { layout, flags: masks, mappings } = this.#context;
    const row = mappings.find(mappingLow, mappingHigh);
    const kind = mappings.kind[row];
    if (kind === mappingKinds.memoryFile) {
      return labelNumbers.shmem;
    }
    if ((flags & masks.lru) === 0 && kind === mappingKinds.unproven) {
      // Drivers use the word for their own; only a page on a reclaim list is surely page cache.
      return labelNumbers.other;
    }
    if ((flags & masks.busy) !== 0 || (flags & masks.uptodate) === 0) {
      return labelNumbers['file-dirty'];
    }
    const droppable =
      kind === mappingKinds.diskFile &&
      (flags & masks.lru) !== 0 &&
      (flags & this.#doubtful) === 0 &&
      words[base + layout.type] === untyped &&
      // The cache itself holds one reference per page: none is left for a mapping or a pin.
      words[base + layout.refcount] === 1 << order &&
      words[base + layout.index + 1] === 0 &&
      words[base + layout.index] < mappings.pageCount[row];
    return droppable ? labelNumbers['file-reread'] : labelNumbers['file-clean'];
  }

  #openBlock(kind: number, pfn: Pfn, order: number, label: number): void {
    this.#blockKind = kind;
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
