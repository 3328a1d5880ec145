// Labels what VMCOREINFO alone can tell, for kernels without BTF: free blocks, and pages given back to the host. All else is
// `unknown`. The conditions are those of memmap-labeller.ts, and every frame is looked at.
import { expect } from '../../inconsistency.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { Pfn } from '../../memory/physical-memory.js';
import { labelNumbers } from '../../page-class.js';
import { wordOf } from '../page-layout.js';
import { pageTypes } from '../page-type.js';

const untypedWord = -1;

export class FreeLabeller {
  /** As MemmapLabeller has them. */
  readonly freeBlockCounts = new Map<number, number>();
  brokenBlockCount = 0;
  /** Every frame is to be given to `label`. */
  readonly freeBlockEnd: Pfn = 0;

  readonly #layout;
  readonly #types;
  /** 0 where slab is a page type. */
  readonly #slabMask: number;
  readonly #zoneShift: number;
  readonly #buddyOrderCount: number;
  #blockStart = 0;
  #blockEnd = 0;
  #blockZone = 0;

  constructor(kernel: Kernel, zoneShift: number, buddyOrderCount: number) {
    const page = expect(kernel.btf.struct('page'), 'struct page');
    this.#layout = {
      strideWords: page.sizeBytes / 4,
      flags: wordOf(page, 'flags'),
      compoundHead: wordOf(page, 'compound_info', 'compound_head'),
      private: wordOf(page, 'private'),
      type: wordOf(page, '_mapcount'),
      refcount: wordOf(page, '_refcount'),
    };
    const { buddy, offline } = pageTypes(kernel.vmcoreinfo, kernel.btf);
    this.#types = { mask: buddy.mask | 0, match: buddy.match | 0, offline: offline?.match };
    const slabBit = kernel.vmcoreinfo.number('PG_slab');
    this.#slabMask = slabBit === undefined ? 0 : 1 << Number(slabBit);
    this.#zoneShift = zoneShift;
    this.#buddyOrderCount = buddyOrderCount;
  }

  label(
    words: Int32Array,
    count: number,
    firstPfn: Pfn,
    labels: Uint8Array,
    labelOffset: number,
  ): void {
    const { strideWords } = this.#layout;
    for (let index = 0; index < count; index++) {
      const pfn = firstPfn + index;
      const at = labelOffset + index;
      const base = index * strideWords;
      if (pfn < this.#blockEnd) {
        if (this.#fitsBlock(words, base)) {
          labels[at] = labelNumbers.free;
        } else {
          this.#breakBlock(labels, at - (pfn - this.#blockStart), at);
          labels[at] = labelNumbers.unknown;
        }
      } else {
        labels[at] = this.#labelAlone(words, base, pfn);
      }
    }
  }

  endRun(labels: Uint8Array, nextPfn: Pfn, labelOffset: number): void {
    if (this.#blockEnd > nextPfn) {
      this.#breakBlock(labels, labelOffset - (nextPfn - this.#blockStart), labelOffset);
    }
    this.#blockEnd = 0;
  }

  #fitsBlock(words: Int32Array, base: number): boolean {
    const { flags, compoundHead, type, refcount } = this.#layout;
    return (
      words[base + refcount] === 0 &&
      words[base + type] === untypedWord &&
      (words[base + compoundHead] & 1) === 0 &&
      words[base + flags + 1] >>> this.#zoneShift === this.#blockZone
    );
  }

  #labelAlone(words: Int32Array, base: number, pfn: Pfn): number {
    const { flags, compoundHead, type } = this.#layout;
    const { mask, match, offline } = this.#types;
    const typeWord = words[base + type];
    const isTyped = typeWord < 0 && typeWord !== untypedWord;
    if (
      !isTyped ||
      (words[base + compoundHead] & 1) !== 0 ||
      (words[base + flags] & this.#slabMask) !== 0
    ) {
      return labelNumbers.unknown;
    }
    if ((typeWord & mask) === match) {
      return this.#labelFree(words, base, pfn);
    }
    return typeWord >>> 0 === offline ? labelNumbers.offline : labelNumbers.unknown;
  }

  /** The head of a free block. */
  #labelFree(words: Int32Array, base: number, pfn: Pfn): number {
    const { flags, private: orderWord, refcount } = this.#layout;
    const order = words[base + orderWord] >>> 0;
    if (
      order >= this.#buddyOrderCount ||
      pfn % (1 << order) !== 0 ||
      words[base + refcount] !== 0
    ) {
      this.brokenBlockCount++;
      return labelNumbers.unknown;
    }
    this.#blockZone = words[base + flags + 1] >>> this.#zoneShift;
    this.#blockStart = pfn;
    this.#blockEnd = pfn + (1 << order);
    const key = this.#blockZone * this.#buddyOrderCount + order;
    this.freeBlockCounts.set(key, (this.freeBlockCounts.get(key) ?? 0) + 1);
    return labelNumbers.free;
  }

  #breakBlock(labels: Uint8Array, from: number, to: number): void {
    labels.fill(labelNumbers.unknown, from, to);
    this.#blockEnd = 0;
    this.brokenBlockCount++;
  }
}
