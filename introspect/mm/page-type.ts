// Page types: what the u32 over `_mapcount` says of a page that no process can map (include/linux/page-flags.h).
//
//   to 6.10   a bit cleared from ffffffff            (value & (f0000000 | bit)) == f0000000
//   6.11      the same over base 80000000            (value & (80000000 | bit)) == 80000000
//   6.12 on   the top byte                           (value & ff000000) == type
//
// The number VMCOREINFO gives for a type shows which of the three it is.
import type { Vmcoreinfo } from '../kernel/vmcoreinfo.js';
import { expect } from './inconsistency.js';

export interface PageTypeTest {
  readonly mask: number;
  readonly match: number;
}

export interface PageTypes {
  readonly buddy: PageTypeTest;
  /** Undefined while slab is a page flag. */
  readonly slab: PageTypeTest | undefined;
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

export function pageTypes(vmcoreinfo: Vmcoreinfo): PageTypes {
  const test = (name: string): PageTypeTest | undefined => {
    const value = vmcoreinfo.number(name);
    return value === undefined ? undefined : pageTypeTest(Number(BigInt.asUintN(32, value)));
  };
  return {
    buddy: expect(test('PAGE_BUDDY_MAPCOUNT_VALUE'), 'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)'),
    slab: test('PAGE_SLAB_MAPCOUNT_VALUE'),
  };
}
