// Bit numbers of struct page's flags word (include/linux/page-flags.h, enum pageflags). They move between releases and
// with the configuration, so they come from BTF alone: one column off turns "referenced" into "uptodate".
import { expect, Inconsistency } from '../inconsistency.js';
import type { KernelTypes } from '../kernel/kernel-types.js';

export interface PageFlagMasks {
  readonly locked: number;
  readonly lru: number;
  readonly head: number;
  readonly reserved: number;
  readonly swapbacked: number;
  /** Means the swap cache only beside `swapbacked`; the bit serves file systems too. */
  readonly swapcache: number;
  /** 0 without CONFIG_MEMORY_FAILURE. */
  readonly hwpoison: number;
  readonly uptodate: number;
  /** 0 where slab is a page type instead (6.10 on). */
  readonly slab: number;
  /** Any of these: the page holds data that its file does not have yet, or is in motion. */
  readonly busy: number;
  /** Every flag that a clean, droppable page of a file may carry. One outside this set means doubt. */
  readonly harmlessForCleanFile: number;
  /** All bits of the enum. */
  readonly all: number;
}

/** Flags that say nothing about a file page's content: aging, read-ahead, "all blocks mapped". */
const harmlessFlags = [
  'PG_referenced',
  'PG_uptodate',
  'PG_lru',
  'PG_active',
  'PG_workingset',
  'PG_head',
  'PG_mappedtodisk',
  'PG_readahead',
  'PG_young',
  'PG_idle',
];
/** Flags that are second names, and the flag of which each is one. Another bit than that flag's is damage. */
const harmlessAliases: Readonly<Record<string, string>> = {
  PG_readahead: 'PG_reclaim',
  PG_mappedtodisk: 'PG_owner_2',
};

export function pageFlagMasks(btf: KernelTypes): PageFlagMasks {
  const bits = expect(btf.enumeration('pageflags'), 'enum pageflags');
  const count = expect(bits.get('__NR_PAGEFLAGS'), '__NR_PAGEFLAGS');
  // The upper half of the word holds zone and node.
  if (count > 32) {
    throw new Inconsistency(`expected at most 32 page flags, found ${count}`);
  }
  // The flags with a bit of their own stand first and count up; aliases follow. A value that does not is damaged.
  const own = new Set([...bits.keys()].slice(0, count));
  if (
    [...bits.entries()].findIndex(([name, bit], at) => name === '__NR_PAGEFLAGS' || bit !== at) !==
    count
  ) {
    throw new Inconsistency(`the enum pageflags does not count up to ${count}`);
  }
  const isSound = (name: string): boolean =>
    own.has(name) || bits.get(name) === bits.get(harmlessAliases[name] ?? '');
  const optional = (name: string): number => {
    const bit = bits.get(name);
    return bit === undefined ? 0 : (1 << bit) >>> 0;
  };
  const mask = (name: string): number => {
    expect(bits.get(name), name);
    return optional(name);
  };
  return {
    locked: mask('PG_locked'),
    lru: mask('PG_lru'),
    head: mask('PG_head'),
    reserved: mask('PG_reserved'),
    swapbacked: mask('PG_swapbacked'),
    swapcache: optional('PG_swapcache'),
    hwpoison: optional('PG_hwpoison'),
    uptodate: mask('PG_uptodate'),
    slab: optional('PG_slab'),
    busy: (mask('PG_dirty') | mask('PG_writeback') | mask('PG_locked')) >>> 0,
    harmlessForCleanFile:
      harmlessFlags.reduce((sum, name) => sum | (isSound(name) ? optional(name) : 0), 0) >>> 0,
    all: count === 32 ? 0xffff_ffff : (1 << count) - 1,
  };
}
