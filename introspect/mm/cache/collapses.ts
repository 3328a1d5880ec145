// Huge pages of files that the kernel is just putting together (mm/khugepaged.c, collapse_file): the new page takes over
// from the small ones of the same file, and for a while both carry the file's mapping.
//
//   the huge page        locked and on no reclaim list, with one reference; then, in the file, with one per page (and one
//                        more while it is put on a list); then on a list
//   a page it replaces   (or folio) locked and on no list; the file has a reference for each page, and there are two more: of
//                        the list that it was taken off, and of whoever replaces it
//
// Once the huge page is unlocked it looks like any other, and what it replaced is let go of; that is not told apart here.
import type { Kernel } from '../../kernel/kernel.js';
import { endPfn, pageSizeBytes, type Pfn } from '../../memory/physical-memory.js';
import { labelNumbers, type PageLabel } from '../../page-class.js';
import type { Memmap } from '../memmap.js';
import { type PageFlagMasks, pageFlagMasks } from '../page-flags.js';
import { type PageLayout, pageLayout } from '../page-layout.js';

/** HPAGE_PMD_ORDER on x86-64. */
const hugeOrder = 9;
export const hugePageCount = 2 ** hugeOrder;
const pagesPerRead = 4096;
/** The references to a folio that is replaced, beside those of the file. */
const referencesBesides = 2;
const untypedWord = -1;
const mappingTagMask = 3;
/** What a page of a file may be labelled. Off the lists, that of a file which is not proven has no label of its own. */
const fileLabels: ReadonlySet<number> = new Set(
  (['file-reread', 'file-clean', 'file-dirty', 'block-device', 'shmem', 'other'] as const).map(
    (label: PageLabel) => labelNumbers[label],
  ),
);

export interface Collapse {
  readonly hugePfn: Pfn;
  /** Label number of the huge page's frames. */
  readonly hugeLabel: number;
  /** Whether the huge page is on a reclaim list, and so in the file. */
  readonly isListed: boolean;
  /** Whether it may be in the file already. */
  readonly mayBeInFile: boolean;
  /** Pages that it replaces and that are off the reclaim lists, by label number. */
  readonly replacedCounts: ReadonlyMap<number, number>;
}

interface HugePage {
  readonly pfn: Pfn;
  readonly label: number;
  readonly isListed: boolean;
  readonly mayBeInFile: boolean;
  readonly replacedCounts: Map<number, number>;
}

/** All that are under way. Reads the memmap twice. `labels`: one per page of the image. Throws Inconsistency. */
export function findCollapses(
  kernel: Kernel,
  memmap: Memmap,
  labels: Uint8Array,
): readonly Collapse[] {
  const layout = pageLayout(kernel.btf);
  const masks = pageFlagMasks(kernel.btf);
  // Undefined: two claim the same place of a file, so neither is what it looks like.
  const hugePages = new Map<string, HugePage | undefined>();
  eachPage(kernel, memmap, labels, layout, (page) => {
    if (page.pfn % hugePageCount === 0) {
      const huge = hugePageAt(page, layout, masks);
      if (huge !== undefined) {
        const place = placeOf(page, layout);
        hugePages.set(place, hugePages.has(place) ? undefined : huge);
      }
    }
  });
  if (hugePages.size === 0) {
    return [];
  }
  eachPage(kernel, memmap, labels, layout, (page) => {
    const pageCount = replacedPageCount(page, layout, masks);
    if (pageCount > 0) {
      const counts = hugePages.get(placeOf(page, layout))?.replacedCounts;
      counts?.set(page.label, (counts.get(page.label) ?? 0) + pageCount);
    }
  });
  return [...hugePages.values()].flatMap((huge) =>
    huge === undefined || (huge.isListed && huge.replacedCounts.size === 0)
      ? []
      : [{ ...huge, hugePfn: huge.pfn, hugeLabel: huge.label }],
  );
}

interface Page {
  readonly pfn: Pfn;
  readonly label: number;
  readonly words: Int32Array;
  /** Where its struct page begins in `words`, and whether the next one follows there. */
  readonly base: number;
  readonly nextIsThere: boolean;
}

/** A huge page of a file, if the head of one begins here that may just have been put together. */
function hugePageAt(page: Page, layout: PageLayout, masks: PageFlagMasks): HugePage | undefined {
  const { pfn, label, words, base } = page;
  const flags = words[base + layout.flags];
  const refcount = words[base + layout.refcount];
  if (
    !fileLabels.has(label) ||
    (flags & masks.locked) === 0 ||
    (flags & masks.head) === 0 ||
    orderOf(page, layout) !== hugeOrder ||
    !isOfFile(words, base, layout) ||
    words[base + layout.index] % hugePageCount !== 0
  ) {
    return undefined;
  }
  const isListed = (flags & masks.lru) !== 0;
  const mayBeInFile = refcount >= hugePageCount && (flags & masks.uptodate) !== 0;
  const isNew = refcount === 1 || (mayBeInFile && refcount <= hugePageCount + 1);
  return (isListed ? mayBeInFile : isNew)
    ? { pfn, label, isListed, mayBeInFile, replacedCounts: new Map() }
    : undefined;
}

/** Pages of the folio that begins here, if one that is being replaced does; else 0. */
function replacedPageCount(page: Page, layout: PageLayout, masks: PageFlagMasks): number {
  const { label, words, base } = page;
  const flags = words[base + layout.flags];
  if (
    (flags & masks.locked) === 0 ||
    (flags & masks.lru) !== 0 ||
    words[base + layout.type] !== untypedWord ||
    !fileLabels.has(label) ||
    !isOfFile(words, base, layout)
  ) {
    return 0;
  }
  const order = (flags & masks.head) === 0 ? 0 : orderOf(page, layout);
  const isSmaller = order !== undefined && order < hugeOrder;
  return isSmaller && words[base + layout.refcount] === 2 ** order + referencesBesides
    ? 2 ** order
    : 0;
}

function orderOf({ words, base, nextIsThere }: Page, layout: PageLayout): number | undefined {
  const { order, strideWords } = layout;
  return nextIsThere ? (words[base + strideWords + order.word] >>> order.shift) & 0xff : undefined;
}

/** No tail, and with a pointer to a mapping, at an index of 32 bits. */
function isOfFile(words: Int32Array, base: number, layout: PageLayout): boolean {
  const { compoundHead, mapping, index } = layout;
  return (
    (words[base + compoundHead] & 1) === 0 &&
    (words[base + mapping] & mappingTagMask) === 0 &&
    words[base + mapping + 1] !== 0 &&
    words[base + index + 1] === 0
  );
}

/** The file and the part of it, as large as a huge page, that the page belongs to. */
function placeOf({ words, base }: Page, { mapping, index }: PageLayout): string {
  const part = Math.floor((words[base + index] >>> 0) / hugePageCount);
  return `${words[base + mapping + 1]} ${words[base + mapping]} ${part}`;
}

function eachPage(
  kernel: Kernel,
  memmap: Memmap,
  labels: Uint8Array,
  { strideWords }: PageLayout,
  visit: (page: Page) => void,
): void {
  const { regions } = kernel.physical;
  const words = new Int32Array(Math.min(pagesPerRead, endPfn(regions)) * strideWords);
  for (const { gpaStart, sizeBytes, imageOffset } of regions) {
    const firstPfn = gpaStart / pageSizeBytes;
    const lastPfn = firstPfn + sizeBytes / pageSizeBytes;
    const labelOffset = imageOffset / pageSizeBytes - firstPfn;
    for (let pfn = firstPfn; pfn < lastPfn;) {
      const section = Math.floor(pfn / memmap.sectionPageCount);
      const sectionEnd = Math.min((section + 1) * memmap.sectionPageCount, lastPfn);
      if (!memmap.isOnline(section)) {
        pfn = sectionEnd;
        continue;
      }
      const count = Math.min(pagesPerRead - (pfn % pagesPerRead), sectionEnd - pfn);
      memmap.read(pfn, new Uint8Array(words.buffer, 0, count * memmap.structPageBytes));
      for (let index = 0; index < count; index++) {
        visit({
          pfn: pfn + index,
          label: labels[labelOffset + pfn + index],
          words,
          base: index * strideWords,
          nextIsThere: index + 1 < count,
        });
      }
      pfn += count;
    }
  }
}
