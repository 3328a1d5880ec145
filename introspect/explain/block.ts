// The block that a frame lies in, found from the frame outwards: blocks are aligned to their size, so a head can only
// stand where one of the frame's addresses is rounded down to a power of two.
//
// A block holds only if every frame in it fits its head. Of one that does not, the frames up to the misfit are nobody's;
// those behind it are read as if it were not there.
import {
  endPfn,
  type MemoryRegion,
  pageSizeBytes,
  type Pfn,
  regionAt,
} from '../memory/physical-memory.js';
import { untyped } from '../mm/page-type.js';
import type { StructPage, StructPages } from './struct-page.js';

/** A compound page of 1 GiB. */
const largestOrder = 18;
const framesPerRead = 4096;

export interface Block {
  readonly kind: 'free' | 'compound';
  readonly headPfn: Pfn;
  readonly order: number;
  /** Why its frames cannot be believed. */
  readonly broken: string | undefined;
}

export class Blocks {
  readonly #pages: StructPages;
  readonly #regions: readonly MemoryRegion[];
  readonly #buddyOrderCount: number;
  /** The block checked last: its frames are often asked for one after the other. */
  #checked:
    { readonly headPfn: Pfn; readonly end: Pfn; readonly misfit: Pfn | undefined } | undefined;

  constructor(pages: StructPages, regions: readonly MemoryRegion[], buddyOrderCount: number) {
    this.#pages = pages;
    this.#regions = regions;
    this.#buddyOrderCount = buddyOrderCount;
  }

  /** Undefined: a page of its own, or the tail of no block. The frame's section must be online. */
  of(pfn: Pfn): Block | undefined {
    const run = this.#runAround(pfn);
    let firstUnread = run.start;
    let tested: Pfn = -1;
    for (let order = largestOrder; order >= 0; order--) {
      const headPfn = pfn - (pfn % 2 ** order);
      if (headPfn === tested || headPfn < firstUnread) {
        continue;
      }
      tested = headPfn;
      const block = this.#headAt(headPfn, run.end);
      if (block?.broken !== undefined && headPfn === pfn) {
        return block;
      }
      // A head that makes no sense begins no block.
      if (block === undefined || block.broken !== undefined) {
        continue;
      }
      const end = headPfn + 2 ** block.order;
      if (end <= pfn) {
        continue;
      }
      const misfit = this.#misfitIn(block, Math.min(end, run.end));
      if (misfit === undefined) {
        return end <= run.end
          ? block
          : { ...block, broken: `it goes on beyond frame ${run.end - 1}, the last that is there` };
      }
      if (pfn <= misfit) {
        return { ...block, broken: `frame ${misfit} does not fit it` };
      }
      firstUnread = misfit + 1;
    }
    return undefined;
  }

  /** What the struct page at `pfn` says it is the head of. */
  #headAt(pfn: Pfn, runEnd: Pfn): Block | undefined {
    const page = this.#pages.at(pfn);
    if (page.isTail) {
      return undefined;
    }
    if (this.#pages.isBuddy(page)) {
      return this.#freeHead(page);
    }
    if (!this.#pages.hasFlag(page, this.#pages.flagMasks.head)) {
      return undefined;
    }
    const order = pfn + 1 < runEnd ? this.#pages.compoundOrder(page) : 0;
    const broken =
      order === 0 || order > largestOrder
        ? `its head states the order ${order}, which is none`
        : misalignment(pfn, order);
    return { kind: 'compound', headPfn: pfn, order: broken === undefined ? order : 0, broken };
  }

  #freeHead({ pfn, private: stated, refCount }: StructPage): Block {
    // The order is the lower half of the word.
    const order = Number(BigInt.asUintN(32, stated));
    const broken =
      order >= this.#buddyOrderCount
        ? `its head states the order ${order}, the allocator has 0 to ${this.#buddyOrderCount - 1}`
        : refCount !== 0
          ? `its head has ${refCount} references`
          : misalignment(pfn, order);
    return { kind: 'free', headPfn: pfn, order: broken === undefined ? order : 0, broken };
  }

  /** The first frame after the head that does not fit it. */
  #misfitIn(block: Block, end: Pfn): Pfn | undefined {
    if (this.#checked?.headPfn !== block.headPfn || this.#checked.end !== end) {
      this.#checked = {
        headPfn: block.headPfn,
        end,
        misfit: this.#findMisfit(block, end),
      };
    }
    return this.#checked.misfit;
  }

  #findMisfit({ kind, headPfn, order }: Block, end: Pfn): Pfn | undefined {
    const { memmap, layout, zoneBits } = this.#pages;
    const strideBytes = memmap.structPageBytes;
    const head = this.#pages.at(headPfn);
    const tail = layout.tailsHoldMask
      ? BigInt.asUintN(64, ~((1n << BigInt(order)) * BigInt(strideBytes) - 1n)) | 1n
      : head.address | 1n;
    const place = Number(head.words[(layout.flags * 4) >> 3] >> 32n) >>> zoneBits.shift;
    for (let first = headPfn + 1; first < end; first += framesPerRead) {
      const count = Math.min(framesPerRead, end - first);
      const bytes = Buffer.alloc(count * strideBytes);
      memmap.read(first, bytes);
      for (let frame = 0; frame < count; frame++) {
        const at = frame * strideBytes;
        const headWord = bytes.readBigUInt64LE(at + layout.compoundHead * 4);
        const fits =
          kind === 'compound'
            ? headWord === tail
            : (headWord & 1n) === 0n &&
              bytes.readInt32LE(at + layout.refcount * 4) === 0 &&
              bytes.readUInt32LE(at + layout.type * 4) === untyped &&
              bytes.readUInt32LE(at + layout.flags * 4 + 4) >>> zoneBits.shift === place;
        if (!fits) {
          return first + frame;
        }
      }
    }
    return undefined;
  }

  /** The frames around `pfn` that the memmap describes and the image holds, without a gap. */
  #runAround(pfn: Pfn): { readonly start: Pfn; readonly end: Pfn } {
    const { memmap } = this.#pages;
    const region = regionAt(this.#regions, pfn * pageSizeBytes);
    const regionStart = (region?.gpaStart ?? 0) / pageSizeBytes;
    const regionEnd =
      region === undefined ? endPfn(this.#regions) : regionStart + region.sizeBytes / pageSizeBytes;
    const section = Math.floor(pfn / memmap.sectionPageCount);
    // No block is larger than this many sections, so a gap further off does not matter.
    const reach = Math.ceil(2 ** largestOrder / memmap.sectionPageCount);
    let first = section;
    while (first > section - reach && first > 0 && memmap.isOnline(first - 1)) {
      first--;
    }
    let last = section;
    while (last < section + reach && memmap.isOnline(last + 1)) {
      last++;
    }
    return {
      start: Math.max(regionStart, first * memmap.sectionPageCount),
      end: Math.min(regionEnd, (last + 1) * memmap.sectionPageCount),
    };
  }
}

function misalignment(pfn: Pfn, order: number): string | undefined {
  return pfn % 2 ** order === 0 ? undefined : `its head is not aligned to the order ${order}`;
}
