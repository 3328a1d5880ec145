// Page types as each era of kernels codes them.
import { Vmcoreinfo } from '../../../introspect/kernel/vmcoreinfo.js';
import { pageTypes, pageTypeTest } from '../../../introspect/mm/page-type.js';

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

function types(lines: Readonly<Record<string, string>>) {
  return pageTypes(new Vmcoreinfo(new Map(Object.entries(lines))));
}

test('VMCOREINFO prints a type as a signed number', () => {
  const found = types({
    'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)': '-268435456',
    'NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)': '-184549376',
  });
  expect(matches(found.buddy, 0xf000_0000)).toBe(true);
  expect(found.slab !== undefined && matches(found.slab, 0xf500_0000)).toBe(true);
  expect(types({ 'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)': '-129' }).slab).toBeUndefined();
});

test('without the type of free pages nothing can be told', () => {
  expect(() => types({ 'NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)': '-184549376' })).toThrow(
    'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE) is missing',
  );
});
