// Per-CPU free lists: pages that a CPU keeps back from the buddy allocator (struct per_cpu_pages, mm/page_alloc.c).
//
// Nothing in a struct page marks them: a page is free here only by being on a list. So the lists are walked, and the
// pages must add up to the count that stands beside them. A CPU that was stopped while it changed its lists may show
// them half changed: then none of its pages is believed to be free, and the other CPUs' are.
import { expect, expectArrayOf, Inconsistency } from '../../inconsistency.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { Pfn } from '../../memory/physical-memory.js';
import { framesOnList, listHeadBytes } from '../linked-list.js';
import { type Memmap, MemmapLookup } from '../memmap.js';
import { type Cpu, possibleCpus } from '../per-cpu.js';
import type { Zone } from '../zones/zone.js';

/** Lists of orders 0..3 come first (PAGE_ALLOC_COSTLY_ORDER), one per migrate type. */
const lowOrderCount = 4;
/** Order of a transparent huge page, kept on the lists after those. */
const hugePageOrder = 9;
/** struct per_cpu_pages has some hundred bytes. */
const structLimitBytes = 16 * 1024;

/** 2^order free frames from `pfn`. */
export interface FreeRun {
  readonly pfn: Pfn;
  readonly order: number;
}

/** What one CPU keeps back of one zone; `broken` says why its lists cannot be believed. */
export type PerCpuLists = { readonly zone: Zone; readonly cpu: Cpu } & (
  | { readonly runs: readonly FreeRun[]; readonly broken?: undefined }
  | { readonly runs?: undefined; readonly broken: string }
);

/** Throws Inconsistency when the kernel's types do not say how the lists lie. */
export function* perCpuLists(
  kernel: Kernel,
  memmap: Memmap,
  zones: readonly Zone[],
): Generator<PerCpuLists> {
  const layout = listsLayout(kernel);
  const lookup = new MemmapLookup(kernel, memmap);
  const cpus = possibleCpus(kernel);
  for (const zone of zones) {
    for (const cpu of cpus) {
      try {
        yield { zone, cpu, runs: runsOf(kernel, lookup, layout, zone, cpu) };
      } catch (error) {
        if (!(error instanceof Inconsistency)) {
          throw error;
        }
        yield { zone, cpu, broken: error.message };
      }
    }
  }
}

type ListsLayout = ReturnType<typeof listsLayout>;

function listsLayout(kernel: Kernel) {
  const { btf } = kernel;
  const lists = expect(btf.struct('per_cpu_pages'), 'struct per_cpu_pages');
  const member = expectArrayOf(listHeadBytes, lists.member('lists'), 'per_cpu_pages.lists');
  if (lists.sizeBytes > structLimitBytes) {
    throw new Inconsistency(`struct per_cpu_pages has ${lists.sizeBytes} bytes`);
  }
  return {
    // Before 5.14 the lists stood inside the structure that also holds the counters.
    pointerOffset: expect(
      btf.struct('zone')?.member('per_cpu_pageset', 'pageset'),
      'zone.per_cpu_pageset or zone.pageset',
    ).offsetBytes,
    within: BigInt(btf.struct('per_cpu_pageset')?.member('pcp')?.offsetBytes ?? 0),
    sizeBytes: lists.sizeBytes,
    countOffset: expect(lists.member('count'), 'per_cpu_pages.count').offsetBytes,
    firstListOffset: member.offsetBytes,
    listCount: member.count,
    linkOffsetBytes: expect(btf.struct('page')?.member('pcp_list', 'lru'), 'page.lru').offsetBytes,
    typeCount: expect(btf.enumeration('migratetype')?.get('MIGRATE_PCPTYPES'), 'MIGRATE_PCPTYPES'),
  };
}

function runsOf(
  kernel: Kernel,
  lookup: MemmapLookup,
  layout: ListsLayout,
  zone: Zone,
  cpu: Cpu,
): readonly FreeRun[] {
  const where = `the free list of CPU ${cpu.number}, zone ${zone.index} of node ${zone.node}`;
  const pageset = expect(kernel.memory.u64(zone.address + BigInt(layout.pointerOffset)), where);
  const address = BigInt.asUintN(64, pageset + cpu.offset + layout.within);
  const bytes = expect(kernel.memory.bytes(address, layout.sizeBytes), where);
  const stated = bytes.readInt32LE(layout.countOffset);
  const runs: FreeRun[] = [];
  let pageCount = 0;
  for (let index = 0; index < layout.listCount; index++) {
    const order =
      index < lowOrderCount * layout.typeCount
        ? Math.floor(index / layout.typeCount)
        : hugePageOrder;
    const list = {
      name: where,
      head: address + BigInt(layout.firstListOffset + index * listHeadBytes),
      linkOffsetBytes: layout.linkOffsetBytes,
      entryLimit: Math.max(0, Math.floor((stated - pageCount) / 2 ** order)),
    };
    for (const pfn of framesOnList(kernel, lookup, list)) {
      runs.push({ pfn, order });
      pageCount += 2 ** order;
    }
  }
  if (pageCount !== stated) {
    throw new Inconsistency(`${where} holds ${pageCount} pages, but states ${stated}`);
  }
  return runs;
}
