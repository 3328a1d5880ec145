// What claims a frame from outside its struct page: page tables, stacks, the kernel's image, the CPUs' free lists, the
// pool of huge pages.
import type { Kernel } from '../kernel/kernel.js';
import { FrameSet, visitTablePages } from '../kernel/paging.js';
import { readTaskMemory } from '../kernel/tasks.js';
import { pageSizeBytes, type Pfn } from '../memory/physical-memory.js';
import { freeHugePages } from '../mm/free/hugetlb.js';
import { type FreeRun, type PerCpuLists, perCpuLists } from '../mm/free/per-cpu-lists.js';
import type { Memmap } from '../mm/memmap.js';
import type { Zone } from '../mm/zones/zone.js';

const entriesPerTable = 512;

export interface Memberships {
  /** The page tables of the kernel and of every process. */
  readonly tablePfns: Pick<ReadonlySet<Pfn>, 'has'>;
  readonly stackPfns: ReadonlySet<Pfn>;
  /** From the first frame of the kernel's image up to, not including, `end`. */
  readonly image: { readonly start: Pfn; readonly end: Pfn };
  readonly perCpuLists: readonly PerCpuLists[];
  readonly freeHugePages: readonly FreeRun[];
}

export function readMemberships(
  kernel: Kernel,
  memmap: Memmap,
  zones: readonly Zone[],
): Memberships {
  const { stackPfns, pageTableRoots } = readTaskMemory(kernel);
  const tables = new FrameSet(kernel.physical);
  const add = (): void => undefined;
  const { physical, pagingLevels, pageTableRoot } = kernel;
  const whole = { first: 0, end: entriesPerTable };
  visitTablePages(physical, pageTableRoot, pagingLevels, whole, tables, add);
  const userHalf = { first: 0, end: entriesPerTable / 2 };
  for (const root of pageTableRoots) {
    visitTablePages(physical, root, pagingLevels, userHalf, tables, add);
  }
  return {
    tablePfns: { has: (pfn) => tables.has(pfn * pageSizeBytes) },
    stackPfns: new Set(stackPfns),
    image: imageFrames(kernel),
    perCpuLists: [...perCpuLists(kernel, memmap, zones)],
    freeHugePages: freeHugePages(kernel, memmap),
  };
}

function imageFrames(kernel: Kernel): Memberships['image'] {
  const start = kernel.symbol('_text');
  const end = kernel.symbol('_end');
  const gpa = start === undefined ? undefined : kernel.memory.translate(start);
  if (start === undefined || end === undefined || gpa === undefined) {
    return { start: 0, end: 0 };
  }
  const first = Math.floor(gpa / pageSizeBytes);
  return { start: first, end: first + Math.ceil(Number(end - start) / pageSizeBytes) };
}

export function runHolds({ pfn, order }: FreeRun, page: Pfn): boolean {
  return page >= pfn && page < pfn + 2 ** order;
}
