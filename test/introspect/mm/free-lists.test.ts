// Per-CPU free lists, hand-linked and then damaged.
import { walkPerCpuFreeLists } from '../../../introspect/mm/free-lists.js';
import { Inconsistency } from '../../../introspect/mm/inconsistency.js';
import { openMemmap } from '../../../introspect/mm/memmap.js';
import { readZones } from '../../../introspect/mm/zone.js';
import { FakeKernel, firstOrdinaryPfn as first, frameCount } from '../fake-kernel.js';
import { pcpTypeCount } from '../kernel-types.js';

function walk(fake: FakeKernel): readonly (readonly [pfn: number, order: number])[] {
  const runs: [number, number][] = [];
  const memmap = openMemmap(fake.kernel, frameCount);
  walkPerCpuFreeLists(fake.kernel, memmap, readZones(fake.kernel), (_, pfn, order) => {
    runs.push([pfn, order]);
  });
  return runs;
}

/** Three single pages on one list of CPU 0, and the fake kernel around them. */
function threePages(): FakeKernel {
  const fake = new FakeKernel();
  fake.setPcpList(0, 1, [first, first + 5, first + 2]);
  fake.setPcpCount(0, 3);
  return fake;
}
const link = (fake: FakeKernel, pfn: number): bigint => fake.structPageAddress(pfn) + 8n;

test("every CPU's lists are walked in order, and a list's place gives the order of its pages", () => {
  const fake = threePages();
  // The last list of order 3, and the second of huge pages.
  fake.setPcpList(1, 4 * pcpTypeCount - 1, [first + 8]);
  fake.setPcpList(1, 4 * pcpTypeCount + 1, [first + 512]);
  fake.setPcpCount(1, 8 + 512);
  expect(walk(fake)).toEqual([
    [first, 0],
    [first + 5, 0],
    [first + 2, 0],
    [first + 8, 3],
    [first + 512, 9],
  ]);
});

test('empty lists hold nothing', () => {
  expect(walk(new FakeKernel())).toEqual([]);
});

test.each<[string, RegExp, (fake: FakeKernel) => void]>([
  [
    'a list that states more pages than it holds',
    /holds 3 pages, but states 4/,
    (fake) => {
      fake.setPcpCount(0, 4);
    },
  ],
  [
    'a list that states fewer pages than it holds',
    /holds more than the 2 pages it states/,
    (fake) => {
      fake.setPcpCount(0, 2);
    },
  ],
  [
    'a list that states a negative number of pages',
    /holds more than the -1 pages/,
    (fake) => {
      fake.setPcpCount(0, -1);
    },
  ],
  [
    'a page that does not point back',
    /frame \d+ does not point back/,
    (fake) => {
      fake.setU64(link(fake, first + 5) + 8n, link(fake, first + 2));
    },
  ],
  [
    'a list that loops without its head',
    /does not point back/,
    (fake) => {
      fake.setU64(link(fake, first + 2), link(fake, first));
    },
  ],
  [
    'a list whose end is not where its head says',
    /list 1 ends elsewhere than it says/,
    (fake) => {
      fake.setU64(fake.pcpListAt(0, 1) + 8n, link(fake, first + 5));
    },
  ],
  [
    'an entry inside a struct page',
    /leads to 0x[0-9a-f]+, which is no page/,
    (fake) => {
      fake.setU64(link(fake, first), link(fake, first + 5) + 8n);
    },
  ],
  [
    'an entry before the memmap',
    /which is no page/,
    (fake) => {
      fake.setU64(link(fake, first), fake.memmapBase - 0x100n);
    },
  ],
  [
    'an entry behind all memory',
    /which is no page/,
    (fake) => {
      fake.setU64(link(fake, first), link(fake, 2 ** 40));
    },
  ],
  [
    'an entry that is a null pointer',
    /leads to 0x0, which is no page/,
    (fake) => {
      fake.setU64(link(fake, first), 0n);
    },
  ],
  [
    'lists that are not mapped',
    /the free list of CPU 0, zone 1 of node 0 is missing/,
    (fake) => {
      fake.set('zone', fake.zone, 'per_cpu_pageset', 0n);
    },
  ],
  [
    'no CPU that may run',
    /no CPU in the mask/,
    (fake) => {
      fake.setU64(fake.symbols.get('__cpu_possible_mask') ?? 0n, 0n);
    },
  ],
  [
    'more CPUs than there can be',
    /100000 CPUs/,
    (fake) => {
      fake.setU64(fake.symbols.get('nr_cpu_ids') ?? 0n, 100_000n);
    },
  ],
])('%s is inconsistent', (_, message, damage) => {
  const fake = threePages();
  damage(fake);
  expect(() => walk(fake)).toThrow(Inconsistency);
  expect(() => walk(fake)).toThrow(message);
});

test('a CPU that may never run is left out', () => {
  const fake = threePages();
  fake.setPcpCount(1, 77);
  fake.setU64(fake.symbols.get('__cpu_possible_mask') ?? 0n, 0b01n);
  expect(walk(fake)).toHaveLength(3);
});
