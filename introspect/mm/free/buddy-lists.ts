// The buddy allocator's own lists (zone.free_area[order].free_list[type], mm/page_alloc.c): the second witness for a
// free block, asked when the first one, the memmap, does not agree with the zone's counts.
import { expect, expectArrayOf, Inconsistency } from '../../inconsistency.js';
import type { Kernel } from '../../kernel/kernel.js';
import { framesOnList, listHeadBytes } from '../linked-list.js';
import type { MemmapLookup } from '../memmap.js';
import type { Zone } from '../zones/zone.js';
import type { FreeRun } from './per-cpu-lists.js';

/** Blocks that the zone's lists lead to. A list is followed until the first link that does not hold. */
export function* blocksOnBuddyLists(
  kernel: Kernel,
  lookup: MemmapLookup,
  zone: Zone,
): Generator<FreeRun> {
  const { btf } = kernel;
  const areas = expect(btf.struct('zone')?.member('free_area'), 'zone.free_area');
  const area = expect(btf.struct('free_area'), 'struct free_area');
  const lists = expectArrayOf(listHeadBytes, area.member('free_list'), 'free_area.free_list');
  const linkOffsetBytes = expect(
    btf.struct('page')?.member('buddy_list', 'lru'),
    'page.lru',
  ).offsetBytes;
  for (let order = 0; order < areas.count; order++) {
    for (let type = 0; type < lists.count; type++) {
      const offset =
        areas.offsetBytes + order * area.sizeBytes + lists.offsetBytes + type * listHeadBytes;
      const list = {
        name: `the list of free blocks of order ${order}, zone ${zone.index} of node ${zone.node}`,
        head: zone.address + BigInt(offset),
        linkOffsetBytes,
        entryLimit: Math.ceil((zone.endPfn - zone.startPfn) / 2 ** order),
      };
      try {
        for (const pfn of framesOnList(kernel, lookup, list)) {
          yield { pfn, order };
        }
      } catch (error) {
        if (!(error instanceof Inconsistency)) {
          throw error;
        }
      }
    }
  }
}
