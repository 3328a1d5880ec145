// A huge page of a file that is just being put together, made up in a guest's RAM: half of a free block becomes the huge
// page, clean pages of a file become those that it replaces, and all counts say what they would say then.
import { pageFlagMasks } from '../../../introspect/mm/page-flags.js';
import { pageLayout } from '../../../introspect/mm/page-layout.js';
import { nodeAddresses, type Zone } from '../../../introspect/mm/zones/zone.js';
import { labelNumbers } from '../../../introspect/page-class.js';
import type { Patch } from './patched-memory.js';
import type { Places } from './places.js';

export const hugePages = 512;
const hugeOrder = 9;

export interface ForgedCollapse {
  readonly patches: readonly Patch[];
  readonly hugePfn: number;
  readonly replacedPfns: readonly number[];
  /** Place in the image of what the node counts as pages of files. */
  readonly filePagesAt: number;
}

/** Up to date, in one reference per page, on no list, and not yet counted. `labels`: the guest's own. */
export function forgeCollapse(
  places: Places,
  zones: readonly Zone[],
  labels: Uint8Array,
): ForgedCollapse {
  const { kernel, memmap } = places;
  const layout = pageLayout(kernel.btf);
  const masks = pageFlagMasks(kernel.btf);
  const block = freeBlockOf(places, labels, hugeOrder + 1);
  const hugePfn = block + hugePages;
  const zone = zones.find(({ startPfn, endPfn }) => block >= startPfn && block < endPfn);
  const [node] = [...nodeAddresses(kernel).values()];
  if (zone === undefined) {
    throw new Error('the free block is in no zone');
  }
  const counters = new Map<number, bigint>();
  const add = (at: number, change: bigint): void => {
    counters.set(at, (counters.get(at) ?? places.u64(at)) + change);
  };
  const freeCountAt = (order: number): number => {
    const areas = places.member('zone', zone.address, 'free_area');
    const area = areas + BigInt(order * places.sizeOf('free_area'));
    return places.of(places.member('free_area', area, 'nr_free'));
  };
  const counterAt = (struct: string, address: bigint, items: string, name: string): number => {
    const item = kernel.btf.enumeration(items)?.get(name);
    if (item === undefined) {
      throw new Error(`no ${name}`);
    }
    return places.of(places.member(struct, address, 'vm_stat')) + item * 8;
  };
  const nodeCounterAt = (name: string): number =>
    counterAt('pglist_data', node, 'node_stat_item', name);

  add(freeCountAt(hugeOrder + 1), -1n);
  add(freeCountAt(hugeOrder), 1n);
  add(counterAt('zone', zone.address, 'zone_stat_item', 'NR_FREE_PAGES'), BigInt(-hugePages));
  const structPages: Patch[] = [];
  const change = (pfn: number, edit: (page: Buffer) => void): void => {
    const bytes = places.structPage(pfn);
    edit(bytes);
    structPages.push({ offset: places.structPageAt(pfn), bytes });
  };
  const setFlags = (page: Buffer, flags: number): void => {
    page.writeUInt32LE(flags >>> 0, layout.flags * 4);
  };
  change(block, (page) => page.writeUInt32LE(hugeOrder, layout.private * 4));

  const { mapping, part, pfns } = fullestPart(places, labels);
  const activeMask = 1 << (kernel.btf.enumeration('pageflags')?.get('PG_active') ?? 0);
  for (const pfn of pfns) {
    change(pfn, (page) => {
      const flags = page.readUInt32LE(layout.flags * 4);
      const isActive = (flags & activeMask) !== 0;
      add(nodeCounterAt(isActive ? 'NR_ACTIVE_FILE' : 'NR_INACTIVE_FILE'), -1n);
      setFlags(page, (flags & ~masks.lru) | masks.locked);
      page.writeInt32LE(3, layout.refcount * 4);
    });
  }
  const head = memmap.base + BigInt(hugePfn * memmap.structPageBytes);
  change(hugePfn, (page) => {
    setFlags(page, masks.locked | masks.uptodate | masks.head);
    page.writeBigUInt64LE(0n, layout.compoundHead * 4);
    page.writeBigUInt64LE(mapping, layout.mapping * 4);
    page.writeBigUInt64LE(BigInt(part * hugePages), layout.index * 4);
    page.writeInt32LE(hugePages, layout.refcount * 4);
  });
  for (let tail = 1; tail < hugePages; tail++) {
    change(hugePfn + tail, (page) => {
      page.writeBigUInt64LE(head | 1n, layout.compoundHead * 4);
      if (tail === 1) {
        page[layout.order.word * 4 + layout.order.shift / 8] = hugeOrder;
      }
    });
  }
  return {
    patches: [
      ...structPages,
      ...[...counters].map(([offset, value]) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(BigInt.asIntN(64, value));
        return { offset, bytes };
      }),
    ],
    hugePfn,
    replacedPfns: pfns,
    filePagesAt: nodeCounterAt('NR_FILE_PAGES'),
  };
}

function freeBlockOf(places: Places, labels: Uint8Array, order: number): number {
  const { private: orderWord, type } = pageLayout(places.kernel.btf);
  for (let pfn = 0; pfn < labels.length; pfn += 2 ** order) {
    if (labels[pfn] === labelNumbers.free) {
      const page = places.structPage(pfn);
      if (page.readUInt32LE(orderWord * 4) === order && page.readInt32LE(type * 4) !== -1) {
        return pfn;
      }
    }
  }
  throw new Error(`no free block of order ${order}`);
}

/** The part of a file, as large as a huge page, of which most single pages could be given up. */
function fullestPart(places: Places, labels: Uint8Array) {
  const layout = pageLayout(places.kernel.btf);
  const { head } = pageFlagMasks(places.kernel.btf);
  const parts = new Map<string, { mapping: bigint; part: number; pfns: number[] }>();
  for (let pfn = 0; pfn < labels.length; pfn++) {
    if (labels[pfn] !== labelNumbers['file-reread']) {
      continue;
    }
    const page = places.structPage(pfn);
    const isSingle =
      (page.readUInt32LE(layout.flags * 4) & head) === 0 &&
      (page.readUInt32LE(layout.compoundHead * 4) & 1) === 0;
    if (isSingle) {
      const mapping = page.readBigUInt64LE(layout.mapping * 4);
      const part = Math.floor(page.readUInt32LE(layout.index * 4) / hugePages);
      const key = `${mapping} ${part}`;
      const entry = parts.get(key) ?? { mapping, part, pfns: [] };
      entry.pfns.push(pfn);
      parts.set(key, entry);
    }
  }
  const [fullest] = [...parts.values()].sort((a, b) => b.pfns.length - a.pfns.length);
  return fullest;
}
