// Page types: what the u32 over `_mapcount` says of a page that no process can map (include/linux/page-flags.h).
//
//   to 6.10   a bit cleared from ffffffff            (value & (f0000000 | bit)) == f0000000
//   6.11      the same over base 80000000            (value & (80000000 | bit)) == 80000000
//   6.12 on   the top byte                           (value & ff000000) == type
//
// The number VMCOREINFO gives for a type shows which of the three it is.
import { expect } from '../inconsistency.js';
import type { KernelTypes } from '../kernel/kernel-types.js';
import type { Vmcoreinfo } from '../kernel/vmcoreinfo.js';

export interface PageTypeTest {
  readonly mask: number;
  readonly match: number;
}

/** Undefined where the kernel has no such type, or does not say so. */
export interface PageTypes {
  readonly buddy: PageTypeTest;
  readonly slab: PageTypeTest | undefined;
  readonly offline: PageTypeTest | undefined;
  readonly table: PageTypeTest | undefined;
  readonly hugetlb: PageTypeTest | undefined;
  readonly zsmalloc: PageTypeTest | undefined;
  readonly largeKmalloc: PageTypeTest | undefined;
}

/** `_mapcount` of a page that is neither mapped nor typed. */
export const untyped = 0xffff_ffff;

export function pageTypeTest(value: number): PageTypeTest {
  if ((value & 0x00ff_ffff) === 0) {
    return { mask: 0xff00_0000, match: value };
  }
  const base = value >>> 24 === 0xff ? 0xf000_0000 : 0x8000_0000;
  // The type is the one bit cleared below the base.
  const bit = (~value & ~base) >>> 0;
  return { mask: (base | bit) >>> 0, match: base };
}

/**
 * For the one type that is given up without a second witness: no owner keeps anything beside it, so the whole word must
 * be the stated one, as makedumpfile has it too. What is no memmap seldom looks like that.
 */
function exactly(value: bigint | undefined): PageTypeTest | undefined {
  return value === undefined
    ? undefined
    : { mask: untyped, match: Number(BigInt.asUintN(32, value)) };
}

/**
 * VMCOREINFO states the values that crash tools need; the enum holds them all, as top bytes, since 6.12 (in 6.11 as
 * bits, which are taken from VMCOREINFO alone).
 */
export function pageTypes(vmcoreinfo: Vmcoreinfo, btf: KernelTypes): PageTypes {
  const stated = (name: string): PageTypeTest | undefined => {
    const value = vmcoreinfo.number(name);
    return value === undefined ? undefined : pageTypeTest(Number(BigInt.asUintN(32, value)));
  };
  const named = (name: string): PageTypeTest | undefined => {
    const value = btf.enumeration('pagetype')?.get(name);
    return value === undefined || value < 0 || value > 0xff
      ? undefined
      : pageTypeTest((value << 24) >>> 0);
  };
  return {
    buddy: expect(stated('PAGE_BUDDY_MAPCOUNT_VALUE'), 'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)'),
    slab: stated('PAGE_SLAB_MAPCOUNT_VALUE'),
    offline: exactly(vmcoreinfo.number('PAGE_OFFLINE_MAPCOUNT_VALUE')),
    table: named('PGTY_table'),
    hugetlb: stated('PAGE_HUGETLB_MAPCOUNT_VALUE'),
    zsmalloc: named('PGTY_zsmalloc'),
    largeKmalloc: named('PGTY_large_kmalloc'),
  };
}
