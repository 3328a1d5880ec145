// The types of a small 6.1-like kernel as BTF: only what introspection asks for, at the offsets of a real one where
// the tests write the bytes themselves, and close together elsewhere.
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

export function kernelTypes(): Btf {
  const encoder = new BtfEncoder();
  const u8 = encoder.int('unsigned char', 1);
  const u16 = encoder.int('unsigned short', 2);
  const u32 = encoder.int('unsigned int', 4);
  const u64 = encoder.int('unsigned long', 8);
  const pointer = encoder.pointer(0);
  const struct = (
    name: string,
    sizeBytes: number,
    members: Readonly<Record<string, readonly [type: number, offsetBytes: number]>>,
  ): number => encoder.struct(name, sizeBytes, memberSpecs(members));

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
  const tail = encoder.struct('', 8, memberSpecs({ compound_head: [u64, 0] }));
  const owner = encoder.union('', 40, [
    { name: '', type: cache, offsetBits: 0 },
    { name: '', type: tail, offsetBits: 0 },
  ]);
  const mapcount = encoder.union('', 4, memberSpecs({ _mapcount: [u32, 0], page_type: [u32, 0] }));
  encoder.struct('page', structPageBytes, [
    { name: 'flags', type: u64, offsetBits: 0 },
    { name: '', type: owner, offsetBits: 64 },
    { name: '', type: mapcount, offsetBits: 48 * 8 },
    { name: '_refcount', type: u32, offsetBits: 52 * 8 },
  ]);
  struct('folio', 2 * structPageBytes, { _folio_order: [u8, 81] });
  encoder.enumeration('pageflags', { ...pageFlagBits, __NR_PAGEFLAGS: pageFlagCount });
  encoder.enumeration('zone_type', { ZONE_DMA: 0, ZONE_DMA32: 1, __MAX_NR_ZONES: zoneTypeCount });
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
    per_cpu_pageset: [pointer, 0],
    per_cpu_zonestats: [pointer, 8],
    zone_start_pfn: [u64, 16],
    spanned_pages: [u64, 24],
    free_area: [encoder.array(area, buddyOrderCount), 64],
    vm_stat: [encoder.array(u64, 4), 1536],
  });
  struct('pglist_data', zoneTypeCount * 2048, { node_zones: [encoder.array(zone, 4), 0] });
  struct('per_cpu_pages', 8 + pcpListCount * 16, {
    count: [u32, 0],
    lists: [encoder.array(list, pcpListCount), 8],
  });
  struct('per_cpu_zonestat', 16, { vm_stat_diff: [encoder.array(u8, 4), 4] });
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

function memberSpecs(
  members: Readonly<Record<string, readonly [type: number, offsetBytes: number]>>,
): readonly MemberSpec[] {
  return Object.entries(members).map(([name, [type, offsetBytes]]) => ({
    name,
    type,
    offsetBits: offsetBytes * 8,
  }));
}
