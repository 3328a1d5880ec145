// Page types as each era of kernels codes them.
import type { Btf } from '../../../introspect/kernel/btf/btf.js';
import { decodeBtf } from '../../../introspect/kernel/btf/decode.js';
import { Vmcoreinfo } from '../../../introspect/kernel/vmcoreinfo.js';
import { pageTypes, pageTypeTest } from '../../../introspect/mm/page-type.js';
import { BtfEncoder } from '../kernel/btf/btf-encoder.js';

/** Every value a page of each type may have in the era; the owner's bits may vary where they are free. */
const eras = {
  'to 6.1': {
    buddy: [0xffff_ff7f],
    offline: [0xffff_feff],
    table: [0xffff_fdff],
    guard: [0xffff_fbff],
  },
  '6.10': {
    buddy: [0xffff_ff7f],
    offline: [0xffff_feff],
    table: [0xffff_fdff],
    guard: [0xffff_fbff],
    hugetlb: [0xffff_f7ff],
    slab: [0xffff_efff],
  },
  '6.11': {
    buddy: [0xbfff_ffff, 0xbfff_0000, 0xbfff_1234],
    offline: [0xdfff_ffff],
    table: [0xefff_ffff],
    guard: [0xf7ff_ffff],
    hugetlb: [0xfbff_ffff],
    slab: [0xfdff_ffff, 0xfdff_0007],
    zsmalloc: [0xfeff_ffff, 0xfeff_0010],
  },
  '6.12 on': {
    buddy: [0xf000_0000, 0xf000_0001, 0xf0ff_ffff],
    offline: [0xf100_0000],
    table: [0xf200_0000, 0xf2ab_cdef],
    guard: [0xf300_0000],
    hugetlb: [0xf400_0000],
    slab: [0xf500_0000, 0xf500_0040],
    zsmalloc: [0xf600_0000],
  },
} as const;

const matches = (test: { mask: number; match: number }, value: number): boolean =>
  (value & test.mask) >>> 0 === test.match;

describe.each(Object.entries(eras))('%s', (_, era) => {
  const types = Object.entries(era) as [string, readonly number[]][];

  test.each(types)(
    "pages of type %s pass that type's test and no other page does",
    (name, values) => {
      const test = pageTypeTest(values[0]);
      for (const [other, otherValues] of types) {
        for (const value of otherValues) {
          expect([other, value, matches(test, value)]).toEqual([other, value, other === name]);
        }
      }
      // Unmapped, mapped once, mapped often.
      for (const mapcount of [0xffff_ffff, 0, 1, 1000]) {
        expect(matches(test, mapcount)).toBe(false);
      }
    },
  );
});

const noTypes = new BtfEncoder();

function decoded(encoder: BtfEncoder): Btf {
  const result = decodeBtf(encoder.encode());
  if (!result.ok) {
    throw new Error(result.reason);
  }
  return result.btf;
}

function types(lines: Readonly<Record<string, string>>, encoder = noTypes) {
  return pageTypes(new Vmcoreinfo(new Map(Object.entries(lines))), decoded(encoder));
}

const buddyOf61 = { 'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)': '-129' };

test('VMCOREINFO prints a type as a signed number', () => {
  const found = types({
    'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)': '-268435456',
    'NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)': '-184549376',
    'NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)': '-201326592',
  });
  expect(matches(found.buddy, 0xf000_0000)).toBe(true);
  expect(found.slab !== undefined && matches(found.slab, 0xf500_0000)).toBe(true);
  expect(found.hugetlb !== undefined && matches(found.hugetlb, 0xf400_0000)).toBe(true);
});

test('a type that the kernel does not state is none', () => {
  expect(types(buddyOf61)).toEqual({
    buddy: { mask: 0xf000_0080, match: 0xf000_0000 },
    slab: undefined,
    offline: undefined,
    table: undefined,
    hugetlb: undefined,
    zsmalloc: undefined,
    largeKmalloc: undefined,
  });
});

test('types that only the enum holds are its top bytes', () => {
  const encoder = new BtfEncoder();
  encoder.enumeration('pagetype', {
    PGTY_table: 0xf2,
    PGTY_zsmalloc: 0xf6,
    PGTY_large_kmalloc: 0xf8,
  });
  expect(types(buddyOf61, encoder)).toMatchObject({
    table: { mask: 0xff00_0000, match: 0xf200_0000 },
    zsmalloc: { mask: 0xff00_0000, match: 0xf600_0000 },
    largeKmalloc: { mask: 0xff00_0000, match: 0xf800_0000 },
  });
});

test('the enum of 6.11, whose values are bits, is not taken for top bytes', () => {
  const encoder = new BtfEncoder();
  encoder.enumeration('pagetype', { PG_buddy: 0x4000_0000, PGTY_table: 0x1000_0000 });
  expect(types(buddyOf61, encoder).table).toBeUndefined();
});

test.each([
  ['to 6.10', '-257', 0xffff_feff, [0xffff_fe7f, 0xf000_0000, 0xffff_ffff]],
  ['6.11', '-536870913', 0xdfff_ffff, [0xdfff_0000, 0x9fff_ffff, 0x8000_0000]],
  ['6.12 on', '-251658240', 0xf100_0000, [0xf100_0001, 0xf1ff_ffff, 0xf000_0000]],
])('%s: only the very number of offline pages means one', (_, stated, value, others) => {
  const { offline } = types({ ...buddyOf61, 'NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)': stated });
  expect(offline !== undefined && matches(offline, value)).toBe(true);
  expect(others.filter((other) => offline !== undefined && matches(offline, other))).toEqual([]);
});

test('without the type of free pages nothing can be told', () => {
  expect(() => types({ 'NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)': '-184549376' })).toThrow(
    'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE) is missing',
  );
});
