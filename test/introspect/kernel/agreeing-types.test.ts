// What VMCOREINFO and BTF say of the same types.
import { disagreementOfTypes } from '../../../introspect/kernel/agreeing-types.js';
import { Vmcoreinfo } from '../../../introspect/kernel/vmcoreinfo.js';
import { kernelTypes } from '../kernel-types.js';

const lines: readonly (readonly [string, string])[] = [
  ['SIZE(page)', '64'],
  ['OFFSET(page.flags)', '0'],
  ['OFFSET(page.mapping)', '24'],
  ['OFFSET(page._mapcount)', '48'],
  ['SIZE(free_area)', '88'],
  ['OFFSET(free_area.free_list)', '0'],
  ['OFFSET(zone.free_area)', '64'],
  ['NUMBER(PG_lru)', '4'],
  ['NUMBER(PG_swapbacked)', '19'],
  ['NUMBER(NR_FREE_PAGES)', '2'],
];

function of(changes: Readonly<Record<string, string>> = {}): string | undefined {
  const stated = new Map([...lines, ...Object.entries(changes)]);
  return disagreementOfTypes(new Vmcoreinfo(stated), kernelTypes());
}

test('nothing is wrong where they agree, or one of them says nothing', () => {
  expect(of()).toBeUndefined();
  expect(of({ 'SIZE(pglist_data)': '', 'OFFSET(page.unheard_of)': '7' })).toBeUndefined();
});

test.each([
  ['SIZE(page)', '56', 'the size of struct page is 56 and 64'],
  ['OFFSET(page._mapcount)', '44', 'the offset of page._mapcount is 44 and 48'],
  ['OFFSET(zone.free_area)', '72', 'the offset of zone.free_area is 72 and 64'],
  ['NUMBER(PG_swapbacked)', '18', 'PG_swapbacked is 18 and 19'],
  ['NUMBER(NR_FREE_PAGES)', '0', 'NR_FREE_PAGES is 0 and 2'],
])('%s=%s is told', (line, value, said) => {
  expect(of({ [line]: value })).toBe(`VMCOREINFO and BTF differ: ${said}`);
});
