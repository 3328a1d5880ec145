// The few types that VMCOREINFO states (kernel/vmcore_info.c): enough to find free pages, as makedumpfile does, in a kernel
// without BTF. What is not stated follows from what is, or there is nothing:
//
//   free_area.nr_free     stands behind the lists, and fills the struct
//   zone.zone_start_pfn   two words before spanned_pages: zone_start_pfn, managed_pages, spanned_pages, present_pages in all
//                         kernels (include/linux/mmzone.h); mm/zones/stated-zones.ts holds it against the nodes' own numbers
//   how many zones        a node's zones and zonelists fill exactly what lies before nr_zones
import type { MemberLayout } from './btf/btf.js';
import type { KernelTypes, StructTypes } from './kernel-types.js';
import type { Vmcoreinfo } from './vmcoreinfo.js';

export type StatedTypesResult =
  | { readonly ok: true; readonly types: KernelTypes }
  | { readonly ok: false; readonly reason: string };

const wordBytes = 8;
const listHeadBytes = 16;
/** struct zoneref: a pointer and a number. */
const zonerefBytes = 16;
/** MAX_NR_ZONES is 6 at most. */
const zoneTypeLimit = 8;
/** No x86-64 configuration has more nodes. */
const nodeLimit = 1024;

export function statedTypes(vmcoreinfo: Vmcoreinfo): StatedTypesResult {
  try {
    return { ok: true, types: typesOf(new Lines(vmcoreinfo)) };
  } catch (error) {
    if (error instanceof Missing) {
      return { ok: false, reason: error.message };
    }
    throw error;
  }
}

class Missing extends Error {}

/** Lines that must be there. */
class Lines {
  readonly #vmcoreinfo: Vmcoreinfo;

  constructor(vmcoreinfo: Vmcoreinfo) {
    this.#vmcoreinfo = vmcoreinfo;
  }

  size(name: string): number {
    return this.#there(this.#vmcoreinfo.sizeBytes(name), `SIZE(${name})`);
  }

  offset(name: string): number {
    return this.#there(this.#vmcoreinfo.offsetBytes(name), `OFFSET(${name})`);
  }

  length(name: string): number {
    return this.#there(this.#vmcoreinfo.length(name), `LENGTH(${name})`);
  }

  has(offsetName: string): boolean {
    return this.#vmcoreinfo.offsetBytes(offsetName) !== undefined;
  }

  /** Nodes that there may be, and whether there may be more than one (CONFIG_NUMA). */
  get nodes(): { readonly count: number; readonly areMany: boolean } {
    const count = this.#vmcoreinfo.length('node_data');
    return { count: count ?? 1, areMany: count !== undefined };
  }

  get freePagesItem(): number {
    const item = this.#there(this.#vmcoreinfo.number('NR_FREE_PAGES'), 'NUMBER(NR_FREE_PAGES)');
    return Number(item);
  }

  #there<T>(value: T | undefined, line: string): T {
    if (value === undefined) {
      throw new Missing(`VMCOREINFO has no ${line}`);
    }
    return value;
  }
}

function typesOf(lines: Lines): KernelTypes {
  const member = (offsetBytes: number, sizeBytes = wordBytes, count = 1): MemberLayout => ({
    offsetBytes,
    sizeBytes,
    count,
  });
  const headName = lines.has('page.compound_info') ? 'compound_info' : 'compound_head';
  const zoneCount = zoneTypeCount(lines);
  const zoneBytes = lines.size('zone');
  const areaBytes = lines.size('free_area');
  const areaCount = lines.length('zone.free_area');
  const listsBytes = lines.length('free_area.free_list') * listHeadBytes;
  const spannedOffset = lines.offset('zone.spanned_pages');
  if (lines.offset('free_area.free_list') !== 0 || listsBytes + wordBytes !== areaBytes) {
    throw new Missing('VMCOREINFO does not say where free_area.nr_free is');
  }
  const item = lines.freePagesItem;
  const structs = new Map(
    [
      struct('page', lines.size('page'), {
        flags: member(lines.offset('page.flags')),
        [headName]: member(lines.offset(`page.${headName}`)),
        lru: member(lines.offset('page.lru'), listHeadBytes),
        private: member(lines.offset('page.private')),
        _mapcount: member(lines.offset('page._mapcount'), 4),
        _refcount: member(lines.offset('page._refcount'), 4),
      }),
      struct('mem_section', lines.size('mem_section'), {
        section_mem_map: member(lines.offset('mem_section.section_mem_map')),
      }),
      struct('free_area', areaBytes, {
        free_list: member(0, listsBytes, listsBytes / listHeadBytes),
        nr_free: member(listsBytes),
      }),
      struct('zone', zoneBytes, {
        zone_start_pfn: member(spannedOffset - 2 * wordBytes),
        managed_pages: member(spannedOffset - wordBytes),
        spanned_pages: member(spannedOffset),
        present_pages: member(spannedOffset + wordBytes),
        free_area: member(lines.offset('zone.free_area'), areaCount * areaBytes, areaCount),
        // How many counters there are is not stated; the one that is asked for must lie in the struct.
        vm_stat: member(lines.offset('zone.vm_stat'), (item + 1) * wordBytes, item + 1),
      }),
      struct('pglist_data', lines.size('pglist_data'), {
        node_zones: member(
          lines.offset('pglist_data.node_zones'),
          zoneCount * zoneBytes,
          zoneCount,
        ),
        node_start_pfn: member(lines.offset('pglist_data.node_start_pfn')),
        node_spanned_pages: member(lines.offset('pglist_data.node_spanned_pages')),
      }),
    ].map((entry) => [entry.name, entry] as const),
  );
  const enumerations = new Map([
    ['zone_type', new Map([['__MAX_NR_ZONES', zoneCount]])],
    ['zone_stat_item', new Map([['NR_FREE_PAGES', item]])],
  ]);
  return {
    struct: (name) => structs.get(name),
    enumeration: (name) => enumerations.get(name),
  };
}

function struct(
  name: string,
  sizeBytes: number,
  members: Readonly<Record<string, MemberLayout>>,
): StructTypes {
  const wrong = Object.entries(members).find(
    ([, { offsetBytes, sizeBytes: bytes }]) =>
      offsetBytes < 0 || bytes <= 0 || offsetBytes + bytes > sizeBytes,
  );
  if (wrong !== undefined) {
    throw new Missing(`VMCOREINFO has ${name}.${wrong[0]} outside its struct`);
  }
  return {
    name,
    sizeBytes,
    member: (...paths) => {
      const path = paths.find((entry) => Object.hasOwn(members, entry));
      return path === undefined ? undefined : members[path];
    },
  };
}

/**
 * MAX_NR_ZONES. A zonelist has a zoneref for every zone of every node, and one more; a node has two of them where there may
 * be several nodes, else one.
 */
function zoneTypeCount(lines: Lines): number {
  const { count: nodeCount, areMany } = lines.nodes;
  const zoneBytes = lines.size('zone');
  const bytes = lines.offset('pglist_data.nr_zones') - lines.offset('pglist_data.node_zones');
  const listCount = areMany ? 2 : 1;
  for (let count = 1; count <= zoneTypeLimit && nodeCount <= nodeLimit; count++) {
    const listsBytes = listCount * (nodeCount * count + 1) * zonerefBytes;
    if (count * zoneBytes + listsBytes === bytes) {
      return count;
    }
  }
  throw new Missing('VMCOREINFO does not say how many zones a node has');
}
