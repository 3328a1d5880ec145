// Names the kernel's own pages that carry no mark in the memmap: its image, its page tables, the stacks of tasks.
// Only pages that are critical already are renamed, so an error here cannot lose data.
import type { Kernel } from '../kernel/kernel.js';
import { FrameSet, visitTablePages } from '../kernel/paging.js';
import type { TaskMemory } from '../kernel/tasks.js';
import { pageIndexOf, pageSizeBytes } from '../memory/physical-memory.js';
import { labelNumbers } from '../page-class.js';

const entriesPerTable = 512;

export function labelKernelPages(
  kernel: Kernel,
  labels: Uint8Array,
  { stackPfns, pageTableRoots }: TaskMemory,
): void {
  const relabel = (pfn: number, from: readonly number[], to: number): void => {
    const index = pageIndexOf(kernel.physical.regions, pfn);
    if (index !== undefined && from.includes(labels[index])) {
      labels[index] = to;
    }
  };
  const unmarked = [labelNumbers.other];
  const bootOrUnmarked = [labelNumbers.other, labelNumbers.reserved];

  const seen = new FrameSet(kernel.physical);
  const nameTable = (gpa: number): void => {
    relabel(Math.floor(gpa / pageSizeBytes), bootOrUnmarked, labelNumbers['page-table']);
  };
  const { physical, pagingLevels, pageTableRoot } = kernel;
  const wholeTable = { first: 0, end: entriesPerTable };
  visitTablePages(physical, pageTableRoot, pagingLevels, wholeTable, seen, nameTable);
  // The upper half of every process's table is the kernel's, seen above.
  const userHalf = { first: 0, end: entriesPerTable / 2 };
  for (const root of pageTableRoots) {
    visitTablePages(physical, root, pagingLevels, userHalf, seen, nameTable);
  }
  for (const pfn of stackPfns) {
    relabel(pfn, unmarked, labelNumbers['kernel-stack']);
  }
  // Parts of the image's range are given back after boot, so only what is still reserved is the image.
  const start = kernel.symbol('_text');
  const end = kernel.symbol('_end');
  const gpa = start === undefined ? undefined : kernel.memory.translate(start);
  if (start !== undefined && end !== undefined && gpa !== undefined) {
    const firstPfn = Math.floor(gpa / pageSizeBytes);
    const pageCount = Math.ceil(Number(end - start) / pageSizeBytes);
    for (let pfn = firstPfn; pfn < firstPfn + pageCount; pfn++) {
      relabel(pfn, [labelNumbers.reserved], labelNumbers['kernel-image']);
    }
  }
}
