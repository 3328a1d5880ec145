// The pool of free huge pages (struct hstate, mm/hugetlb.c): on a list per node, and counted beside it.
import { Inconsistency } from '../../inconsistency.js';
import type { Kernel } from '../../kernel/kernel.js';
import { framesOnList, listHeadBytes } from '../linked-list.js';
import { type Memmap, MemmapLookup } from '../memmap.js';
import type { FreeRun } from './per-cpu-lists.js';

/** HUGE_MAX_HSTATE on x86-64: 2 MiB and 1 GiB. */
const sizeLimit = 8;
const largestOrder = 18;

/** Free huge pages of every size whose lists add up to their counts; none for a size where they do not. */
export function freeHugePages(kernel: Kernel, memmap: Memmap): readonly FreeRun[] {
  const layout = kernel.btf.struct('hstate');
  const first = kernel.symbol('hstates');
  const countAddress = kernel.symbol('hugetlb_max_hstate');
  const order = layout?.member('order');
  const lists = layout?.member('hugepage_freelists');
  const free = layout?.member('free_huge_pages');
  const link = kernel.btf.struct('page')?.member('lru');
  if (
    layout === undefined ||
    first === undefined ||
    countAddress === undefined ||
    order === undefined ||
    lists === undefined ||
    free === undefined ||
    link === undefined
  ) {
    return [];
  }
  const lookup = new MemmapLookup(kernel, memmap);
  const sizeCount = Math.min(kernel.memory.u32(countAddress) ?? 0, sizeLimit);
  return Array.from({ length: sizeCount }, (_, size): readonly FreeRun[] => {
    const address = first + BigInt(size * layout.sizeBytes);
    const state = kernel.memory.bytes(address, layout.sizeBytes);
    const pageOrder = state?.readUInt32LE(order.offsetBytes) ?? 0;
    const stated = Number(state?.readBigUInt64LE(free.offsetBytes) ?? 0n);
    const runs: FreeRun[] = [];
    if (pageOrder === 0 || pageOrder > largestOrder) {
      return runs;
    }
    try {
      for (let node = 0; node < lists.count && runs.length < stated; node++) {
        const list = {
          name: `the free list of huge pages of order ${pageOrder}, node ${node}`,
          head: address + BigInt(lists.offsetBytes + node * listHeadBytes),
          linkOffsetBytes: link.offsetBytes,
          entryLimit: stated - runs.length,
        };
        for (const pfn of framesOnList(kernel, lookup, list)) {
          runs.push({ pfn, order: pageOrder });
        }
      }
    } catch (error) {
      if (error instanceof Inconsistency) {
        return [];
      }
      throw error;
    }
    return runs.length === stated ? runs : [];
  }).flat();
}
