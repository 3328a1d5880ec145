// What VMCOREINFO and BTF both say of a kernel's types must be the same: both were made by one build. Where it is not, one of
// them is damaged or another kernel's, and every struct page would be read beside its place.
import type { KernelTypes } from './kernel-types.js';
import type { Vmcoreinfo } from './vmcoreinfo.js';

const structs: Readonly<Record<string, readonly string[]>> = {
  page: ['flags', '_refcount', 'mapping', 'lru', '_mapcount', 'private'],
  mem_section: ['section_mem_map'],
  zone: ['free_area', 'vm_stat', 'spanned_pages'],
  free_area: ['free_list'],
  pglist_data: ['node_zones', 'nr_zones', 'node_start_pfn', 'node_spanned_pages'],
};
const enumerations: Readonly<Record<string, readonly string[]>> = {
  pageflags: ['PG_lru', 'PG_private', 'PG_swapcache', 'PG_swapbacked', 'PG_slab', 'PG_hwpoison'],
  zone_stat_item: ['NR_FREE_PAGES'],
};

/** The first thing that they say differently, as half a sentence; undefined when there is none. */
export function disagreementOfTypes(
  vmcoreinfo: Vmcoreinfo,
  types: KernelTypes,
): string | undefined {
  const differ = (
    what: string,
    stated: number | undefined,
    own: number | undefined,
  ): string | undefined =>
    stated === undefined || own === undefined || stated === own
      ? undefined
      : `VMCOREINFO and BTF differ: ${what} is ${stated} and ${own}`;
  for (const [name, members] of Object.entries(structs)) {
    const struct = types.struct(name);
    const found =
      differ(`the size of struct ${name}`, vmcoreinfo.sizeBytes(name), struct?.sizeBytes) ??
      members
        .map((member) => {
          const path = `${name}.${member}`;
          const own = struct?.member(member)?.offsetBytes;
          return differ(`the offset of ${path}`, vmcoreinfo.offsetBytes(path), own);
        })
        .find((difference) => difference !== undefined);
    if (found !== undefined) {
      return found;
    }
  }
  for (const [name, values] of Object.entries(enumerations)) {
    const own = types.enumeration(name);
    for (const value of values) {
      const stated = vmcoreinfo.number(value);
      const found = differ(
        value,
        stated === undefined ? undefined : Number(stated),
        own?.get(value),
      );
      if (found !== undefined) {
        return found;
      }
    }
  }
  return undefined;
}
