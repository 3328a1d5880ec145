// The types of a small kernel as BTF: only what introspection asks for, at the offsets of a real one where the tests
// write the bytes themselves, and close together elsewhere. 6.1-like unless another era is asked for.
import type { Btf } from '../../introspect/kernel/btf/btf.js';
import { decodeBtf } from '../../introspect/kernel/btf/decode.js';
import { BtfEncoder, type MemberSpec } from './kernel/btf/btf-encoder.js';
import { pageFlagBits, pageFlagCount, structPageBytes } from './mm/struct-page.js';

export const buddyOrderCount = 11;
export const zoneTypeCount = 4;
const migrateTypeCount = 5;
export const pcpTypeCount = 3;
/** Orders 0 to 3 for each type, then the two lists of huge pages (6.1.y). */
export const pcpListCount = 4 * pcpTypeCount + 2;
/** NR_FREE_PAGES is not the first item here, so that an index left out shows. */
export const zoneStatItems = { NR_ZONE_INACTIVE_ANON: 0, NR_FREE_PAGES: 2 };
export const nodeStatItems = {
  NR_INACTIVE_ANON: 0,
  NR_ACTIVE_ANON: 1,
  NR_INACTIVE_FILE: 2,
  NR_ACTIVE_FILE: 3,
  NR_UNEVICTABLE: 4,
  NR_SLAB_RECLAIMABLE_B: 5,
  NR_SLAB_UNRECLAIMABLE_B: 6,
  NR_ISOLATED_ANON: 7,
  NR_ISOLATED_FILE: 8,
  NR_ANON_MAPPED: 9,
  NR_FILE_PAGES: 10,
  NR_SHMEM: 11,
  NR_SWAPCACHE: 12,
  NR_VM_NODE_STAT_ITEMS: 13,
} as const;
export type NodeStatItem = keyof typeof nodeStatItems;
export const hugePageListCount = 2;
/** Per-CPU lists of 5.10: single pages, by migrate type. */
export const oldPcpListCount = pcpTypeCount;

/**
 * 5.10   lists and counters of a CPU in one structure; a compound page says its order and destructor in its second page
 * 6.1    two structures; `folio._folio_order`
 * 7.3    flags in a structure of their own; the order among the folio's second flags; tails hold a mask; page types
 */
export type Era = '5.10' | '6.1' | '7.3';

type MemberTable = Readonly<Record<string, readonly [type: number, offsetBytes: number]>>;
const nodeBytes = zoneTypeCount * 2048 + 256;

/** `hasSmp`: counters have differences that CPUs have not added yet. */
export function kernelTypes(era: Era = '6.1', hasSmp = true): Btf {
  const encoder = new BtfEncoder();
  const u8 = encoder.int('unsigned char', 1);
  const u16 = encoder.int('unsigned short', 2);
  const u32 = encoder.int('unsigned int', 4);
  const u64 = encoder.int('unsigned long', 8);
  const pointer = encoder.pointer(0);
  const struct = (name: string, sizeBytes: number, members: MemberTable): number =>
    encoder.struct(name, sizeBytes, memberSpecs(members));

  const list = struct('list_head', 16, { next: [pointer, 0], prev: [pointer, 8] });
  const lists = encoder.union(
    '',
    16,
    memberSpecs({ lru: [list, 0], buddy_list: [list, 0], pcp_list: [list, 0] }),
  );
  const cache = encoder.struct('', 40, [
    { name: '', type: lists, offsetBits: 0 },
    ...memberSpecs({ mapping: [pointer, 16], index: [u64, 24], private: [u64, 32] }),
  ]);
  const tail = encoder.struct(
    '',
    16,
    memberSpecs({
      [era === '7.3' ? 'compound_info' : 'compound_head']: [u64, 0],
      ...(era === '5.10' ? { compound_dtor: [u8, 8], compound_order: [u8, 9] } : {}),
    }),
  );
  const owner = encoder.union('', 40, [
    { name: '', type: cache, offsetBits: 0 },
    { name: '', type: tail, offsetBits: 0 },
  ]);
  const mapcount = encoder.union('', 4, memberSpecs({ _mapcount: [u32, 0], page_type: [u32, 0] }));
  const flags = era === '7.3' ? struct('', 8, { f: [u64, 0] }) : u64;
  encoder.struct('page', structPageBytes, [
    { name: 'flags', type: flags, offsetBits: 0 },
    { name: '', type: owner, offsetBits: 64 },
    { name: '', type: mapcount, offsetBits: 48 * 8 },
    { name: '_refcount', type: u32, offsetBits: 52 * 8 },
  ]);
  if (era !== '5.10') {
    const second: MemberTable =
      era === '6.1' ? { _folio_order: [u8, 81] } : { _flags_1: [flags, 64] };
    struct('folio', 2 * structPageBytes, second);
  }
  // Those with a bit of their own first, then their number, then the aliases, as in the kernel.
  const flagBits = Object.entries(pageFlagBits).map(
    ([name, bit]) => [era === '7.3' && name === 'PG_slab' ? 'PG_unused' : name, bit] as const,
  );
  encoder.enumeration(
    'pageflags',
    Object.fromEntries([
      ...flagBits.slice(0, pageFlagCount),
      ['__NR_PAGEFLAGS', pageFlagCount],
      ...flagBits.slice(pageFlagCount),
    ]),
  );
  if (era === '7.3') {
    encoder.enumeration('pagetype', {
      PGTY_buddy: 0xf0,
      PGTY_offline: 0xf1,
      PGTY_table: 0xf2,
      PGTY_guard: 0xf3,
      PGTY_hugetlb: 0xf4,
      PGTY_slab: 0xf5,
      PGTY_zsmalloc: 0xf6,
      PGTY_unaccepted: 0xf7,
      PGTY_large_kmalloc: 0xf8,
      PGTY_mapcount_underflow: 0xff,
    });
  }
  if (era === '5.10') {
    encoder.enumeration('compound_dtor_id', { NULL_COMPOUND_DTOR: 0, HUGETLB_PAGE_DTOR: 2 });
  }
  encoder.enumeration('zone_type', {
    ZONE_DMA: 0,
    ZONE_DMA32: 1,
    ZONE_NORMAL: 2,
    ZONE_DEVICE: 3,
    __MAX_NR_ZONES: zoneTypeCount,
  });
  encoder.enumeration('migratetype', { MIGRATE_PCPTYPES: pcpTypeCount });
  encoder.enumeration('zone_stat_item', zoneStatItems);
  encoder.enumeration('mapping_flags', {
    AS_EIO: 0,
    AS_UNEVICTABLE: 3,
    AS_LARGE_FOLIO_SUPPORT: 6,
  });

  const area = struct('free_area', migrateTypeCount * 16 + 8, {
    free_list: [encoder.array(list, migrateTypeCount), 0],
    nr_free: [u64, migrateTypeCount * 16],
  });
  const zone = struct('zone', 2048, {
    ...(era === '5.10'
      ? { pageset: [pointer, 0] }
      : { per_cpu_pageset: [pointer, 0], per_cpu_zonestats: [pointer, 8] }),
    zone_start_pfn: [u64, 16],
    spanned_pages: [u64, 24],
    free_area: [encoder.array(area, buddyOrderCount), 64],
    vm_stat: [encoder.array(u64, 4), 1536],
    ...(era === '7.3' ? { vmemmap_tails: [encoder.array(pointer, 8), 1600] } : {}),
  });
  const itemCount = nodeStatItems.NR_VM_NODE_STAT_ITEMS;
  struct('pglist_data', nodeBytes, {
    node_zones: [encoder.array(zone, zoneTypeCount), 0],
    per_cpu_nodestats: [pointer, zoneTypeCount * 2048],
    vm_stat: [encoder.array(u64, itemCount), zoneTypeCount * 2048 + 8],
  });
  encoder.enumeration('node_stat_item', nodeStatItems);
  // The threshold stands first, as in the kernel.
  struct('per_cpu_nodestat', 1 + itemCount, {
    vm_node_stat_diff: [encoder.array(u8, itemCount), 1],
  });
  const listCount = era === '5.10' ? oldPcpListCount : pcpListCount;
  const pcp = struct('per_cpu_pages', 8 + listCount * 16, {
    count: [u32, 0],
    lists: [encoder.array(list, listCount), 8],
  });
  if (era === '5.10') {
    struct('per_cpu_pageset', 128, {
      pcp: [pcp, 8],
      ...(hasSmp ? { vm_stat_diff: [encoder.array(u8, 4), 100] } : {}),
    });
  } else {
    struct(
      'per_cpu_zonestat',
      16,
      hasSmp ? { vm_stat_diff: [encoder.array(u8, 4), 4] } : { vm_numa_event: [u64, 0] },
    );
  }
  struct('cpumask', 16, { bits: [encoder.array(u64, 2), 0] });
  struct('hstate', 128, {
    order: [u32, 8],
    free_huge_pages: [u64, 24],
    hugepage_freelists: [encoder.array(list, hugePageListCount), 48],
  });
  struct('mem_section', 16, { section_mem_map: [u64, 0], usage: [pointer, 8] });

  struct('address_space', 192, { host: [pointer, 0], flags: [u64, 152] });
  struct('inode', 600, {
    i_mode: [u16, 0],
    i_flags: [u32, 12],
    i_sb: [pointer, 40],
    i_mapping: [pointer, 48],
    i_nlink: [u32, 72],
    i_size: [u64, 80],
  });
  struct('super_block', 1024, { s_type: [pointer, 40], s_bdev: [pointer, 200] });
  struct('file_system_type', 72, { name: [pointer, 0] });
  struct('block_device', 256, { bd_disk: [pointer, 64] });
  struct('gendisk', 512, { disk_name: [encoder.array(u8, 32), 12] });

  struct('task_struct', 128, {
    stack: [pointer, 0],
    tasks: [list, 16],
    mm: [pointer, 32],
    signal: [pointer, 40],
    thread_node: [list, 48],
  });
  struct('signal_struct', 32, { thread_head: [list, 16] });
  struct('mm_struct', 64, { pgd: [pointer, 24] });

  const result = decodeBtf(encoder.encode());
  if (!result.ok) {
    throw new Error(result.reason);
  }
  return result.btf;
}

function memberSpecs(members: MemberTable): readonly MemberSpec[] {
  return Object.entries(members).map(([name, [type, offsetBytes]]) => ({
    name,
    type,
    offsetBits: offsetBytes * 8,
  }));
}
