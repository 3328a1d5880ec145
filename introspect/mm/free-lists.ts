// Per-CPU free lists: pages that a CPU keeps back from the buddy allocator (struct per_cpu_pages, mm/page_alloc.c).
//
// Nothing in a struct page marks them: a page is free here only by being on a list. So the lists are walked, every
// link is checked against its back-pointer, and the pages must add up to the list's own count.
import type { Kernel } from '../kernel/kernel.js';
import type { Pfn } from '../memory/physical-memory.js';
import { expect, Inconsistency } from './inconsistency.js';
import { type Memmap, MemmapLookup } from './memmap.js';
import { type Cpu, possibleCpus } from './per-cpu.js';
import type { Zone } from './zone.js';

/** Lists of orders 0..3 come first (PAGE_ALLOC_COSTLY_ORDER), one per migrate type. */
const lowOrderCount = 4;
/** Order of a transparent huge page, kept on the lists after those. */
const hugePageOrder = 9;

/** A run of free pages: 2^order frames from `pfn`. */
export type VisitFreeRun = (zone: Zone, pfn: Pfn, order: number) => void;

export function walkPerCpuFreeLists(
  kernel: Kernel,
  memmap: Memmap,
  zones: readonly Zone[],
  visit: VisitFreeRun,
): void {
  const lookup = new MemmapLookup(kernel, memmap);
  const cpus = possibleCpus(kernel);
  for (const zone of zones) {
    for (const cpu of cpus) {
      walkCpu(kernel, lookup, zone, cpu, visit);
    }
  }
}

function walkCpu(
  kernel: Kernel,
  lookup: MemmapLookup,
  zone: Zone,
  cpu: Cpu,
  visit: VisitFreeRun,
): void {
  const where = `the free list of CPU ${cpu.number}, zone ${zone.index} of node ${zone.node}`;
  const pointer = expect(
    kernel.btf.struct('zone')?.member('per_cpu_pageset'),
    'zone.per_cpu_pageset',
  );
  const layout = expect(kernel.btf.struct('per_cpu_pages'), 'struct per_cpu_pages');
  const count = expect(layout.member('count'), 'per_cpu_pages.count');
  const lists = expect(layout.member('lists'), 'per_cpu_pages.lists');
  const linkOffset = expect(
    kernel.btf.struct('page')?.member('pcp_list', 'lru'),
    'page.lru',
  ).offsetBytes;
  const typeCount = expect(
    kernel.btf.enumeration('migratetype')?.get('MIGRATE_PCPTYPES'),
    'MIGRATE_PCPTYPES',
  );
  const pageset = expect(kernel.memory.u64(zone.address + BigInt(pointer.offsetBytes)), where);
  const address = BigInt.asUintN(64, pageset + cpu.offset);
  const bytes = expect(kernel.memory.bytes(address, layout.sizeBytes), where);
  const stated = bytes.readInt32LE(count.offsetBytes);
  const link = Buffer.alloc(16);
  let pageCount = 0;
  for (let index = 0; index < lists.count; index++) {
    const order = index < lowOrderCount * typeCount ? Math.floor(index / typeCount) : hugePageOrder;
    const listOffset = lists.offsetBytes + index * 16;
    const head = address + BigInt(listOffset);
    let previous = head;
    let next = bytes.readBigUInt64LE(listOffset);
    const last = bytes.readBigUInt64LE(listOffset + 8);
    while (next !== head) {
      const pfn = lookup.pfnOf(next, linkOffset);
      if (pfn === undefined || !lookup.read(pfn, linkOffset, link)) {
        throw new Inconsistency(`${where} leads to 0x${next.toString(16)}, which is no page`);
      }
      if (link.readBigUInt64LE(8) !== previous) {
        throw new Inconsistency(`${where}: frame ${pfn} does not point back to the one before it`);
      }
      pageCount += 2 ** order;
      // The count bounds the walk, so a loop in the list ends too.
      if (pageCount > stated) {
        throw new Inconsistency(`${where} holds more than the ${stated} pages it states`);
      }
      visit(zone, pfn, order);
      previous = next;
      next = link.readBigUInt64LE(0);
    }
    if (last !== previous) {
      throw new Inconsistency(`${where}: list ${index} ends elsewhere than it says`);
    }
  }
  if (pageCount !== stated) {
    throw new Inconsistency(`${where} holds ${pageCount} pages, but states ${stated}`);
  }
}
