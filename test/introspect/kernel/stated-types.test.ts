// The types that VMCOREINFO states, and those that follow from it. Numbers of Debian's 6.12, but for those of one node.
import { statedTypes } from '../../../introspect/kernel/stated-types.js';
import { Vmcoreinfo } from '../../../introspect/kernel/vmcoreinfo.js';

const lines: Readonly<Record<string, string>> = {
  'SIZE(mem_section)': '16',
  'OFFSET(mem_section.section_mem_map)': '0',
  'SIZE(page)': '64',
  'SIZE(pglist_data)': '174464',
  'SIZE(zone)': '1536',
  'SIZE(free_area)': '88',
  'OFFSET(page.flags)': '0',
  'OFFSET(page._refcount)': '52',
  'OFFSET(page.lru)': '8',
  'OFFSET(page._mapcount)': '48',
  'OFFSET(page.private)': '40',
  'OFFSET(page.compound_head)': '8',
  'OFFSET(pglist_data.node_zones)': '0',
  'OFFSET(pglist_data.nr_zones)': '171552',
  'OFFSET(pglist_data.node_start_pfn)': '171560',
  'OFFSET(pglist_data.node_spanned_pages)': '171576',
  'OFFSET(zone.free_area)': '256',
  'OFFSET(zone.vm_stat)': '1344',
  'OFFSET(zone.spanned_pages)': '160',
  'OFFSET(free_area.free_list)': '0',
  'LENGTH(zone.free_area)': '11',
  'LENGTH(free_area.free_list)': '5',
  'LENGTH(node_data)': '1024',
  'NUMBER(NR_FREE_PAGES)': '0',
};

function of(changes: Readonly<Record<string, string>> = {}) {
  const stated = Object.entries({ ...lines, ...changes }).filter(([, value]) => value !== '');
  return statedTypes(new Vmcoreinfo(new Map(stated)));
}

function zoneCountOf(changes: Readonly<Record<string, string>>): number | undefined {
  const result = of(changes);
  return result.ok ? result.types.enumeration('zone_type')?.get('__MAX_NR_ZONES') : undefined;
}

test('the number of zones is the one whose zones and zonelists fill the node', () => {
  expect(zoneCountOf({})).toBe(5);
  // Four zones and one list of five zonerefs: 4 * 1536 + 5 * 16.
  const single = { 'LENGTH(node_data)': '', 'OFFSET(pglist_data.nr_zones)': '6224' };
  expect(zoneCountOf(single)).toBe(4);
  // As many nodes as 64, with three zones: 3 * 1536 + 2 * (64 * 3 + 1) * 16.
  const few = { 'LENGTH(node_data)': '64', 'OFFSET(pglist_data.nr_zones)': '10784' };
  expect(zoneCountOf(few)).toBe(3);
});

test('the start of a zone and the count of free blocks follow from what stands beside them', () => {
  const result = of();
  if (!result.ok) {
    throw new Error(result.reason);
  }
  const { types } = result;
  expect(types.struct('zone')?.member('zone_start_pfn')?.offsetBytes).toBe(144);
  expect(types.struct('free_area')?.member('nr_free')?.offsetBytes).toBe(80);
  expect(types.struct('page')?.member('compound_info', 'compound_head')?.offsetBytes).toBe(8);
  expect(types.struct('inode')).toBeUndefined();
});

test.each(
  Object.keys(lines).filter((line) => line !== 'LENGTH(node_data)' && !line.includes('compound')),
)('without %s no type is known, and that is said', (line) => {
  expect(of({ [line]: '' })).toEqual({ ok: false, reason: `VMCOREINFO has no ${line}` });
});

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ['no count fills the node', { 'OFFSET(pglist_data.nr_zones)': '171560' }, /how many zones/],
  ['zones of another size', { 'SIZE(zone)': '1600' }, /how many zones/],
  ['free lists that do not fill their struct', { 'SIZE(free_area)': '96' }, /free_area\.nr_free/],
  ['a member behind its struct', { 'OFFSET(page.private)': '60' }, /page\.private outside/],
  [
    'a zone without room for its start',
    { 'OFFSET(zone.spanned_pages)': '8' },
    /zone_start_pfn outside/,
  ],
  ['a counter before the first', { 'NUMBER(NR_FREE_PAGES)': '-1' }, /zone\.vm_stat outside/],
])('%s: no type is known, and that is said', (_, changes, reason) => {
  expect(of(changes)).toEqual({ ok: false, reason: expect.stringMatching(reason) as string });
});
