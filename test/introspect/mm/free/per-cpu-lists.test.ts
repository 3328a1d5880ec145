// Per-CPU free lists, hand-linked and then damaged: a CPU whose lists do not add up is told, and the others go on.
import { Inconsistency } from '../../../../introspect/inconsistency.js';
import { perCpuLists } from '../../../../introspect/mm/free/per-cpu-lists.js';
import { openMemmap } from '../../../../introspect/mm/memmap.js';
import { readZones } from '../../../../introspect/mm/zones/zone.js';
import { FakeKernel, firstOrdinaryPfn as first, frameCount } from '../../fake-kernel.js';
import { type Era, pcpTypeCount } from '../../kernel-types.js';

/** By CPU: frame and order of each run, or why the CPU is not believed. */
type Walked = readonly (string | readonly (readonly [pfn: number, order: number])[])[];

function walk(fake: FakeKernel): Walked {
  const memmap = openMemmap(fake.kernel, frameCount);
  return [...perCpuLists(fake.kernel, memmap, readZones(fake.kernel))].map(
    ({ runs, broken }) => broken ?? runs.map(({ pfn, order }) => [pfn, order] as const),
  );
}

const singles = [
  [first, 0],
  [first + 5, 0],
  [first + 2, 0],
] as const;

/** Three single pages on one list of CPU 0, one on CPU 1's, and the fake kernel around them. */
function fourPages(era: Era = '6.1'): FakeKernel {
  const fake = new FakeKernel({ era });
  fake.setPcpList(
    0,
    1,
    singles.map(([pfn]) => pfn),
  );
  fake.setPcpCount(0, 3);
  fake.setPcpList(1, 0, [first + 9]);
  fake.setPcpCount(1, 1);
  return fake;
}
const link = (fake: FakeKernel, pfn: number): bigint => fake.linkOf(pfn);

test.each<Era>(['5.10', '6.1', '7.3'])("a kernel of %s: every CPU's lists, in order", (era) => {
  expect(walk(fourPages(era))).toEqual([singles, [[first + 9, 0]]]);
});

test("a list's place gives the order of its pages", () => {
  const fake = fourPages();
  // The last list of order 3, and the second of huge pages.
  fake.setPcpList(1, 4 * pcpTypeCount - 1, [first + 8]);
  fake.setPcpList(1, 4 * pcpTypeCount + 1, [first + 512]);
  fake.setPcpCount(1, 1 + 8 + 512);
  expect(walk(fake)).toEqual([
    singles,
    [
      [first + 9, 0],
      [first + 8, 3],
      [first + 512, 9],
    ],
  ]);
});

test('lists of a kernel that keeps back single pages only are all of order 0', () => {
  const fake = new FakeKernel({ era: '5.10' });
  for (let list = 0; list < fake.pcpListCount; list++) {
    fake.setPcpList(0, list, [first + list]);
  }
  fake.setPcpCount(0, fake.pcpListCount);
  expect(fake.pcpListCount).toBe(3);
  expect(walk(fake)).toEqual([[0, 1, 2].map((list) => [first + list, 0]), []]);
});

test('empty lists hold nothing', () => {
  expect(walk(new FakeKernel())).toEqual([[], []]);
});

const damages: readonly [string, RegExp, (fake: FakeKernel) => void][] = [
  [
    'that states more pages than it holds',
    /^the free list of CPU 0, zone 1 of node 0 holds 3 pages, but states 4$/,
    (fake) => {
      fake.setPcpCount(0, 4);
    },
  ],
  [
    'that states fewer pages than it holds',
    /CPU 0, .* holds more than the 2 entries it may/,
    (fake) => {
      fake.setPcpCount(0, 2);
    },
  ],
  [
    'that states a negative number of pages',
    /CPU 0, .* holds more than the 0 entries it may/,
    (fake) => {
      fake.setPcpCount(0, -1);
    },
  ],
  [
    'with a page that does not point back',
    /CPU 0, .*: frame 1026 does not point back/,
    (fake) => {
      fake.setU64(link(fake, first + 2) + 8n, link(fake, first));
    },
  ],
  [
    'that loops without its head',
    /CPU 0, .* holds more than the 3 entries it may/,
    (fake) => {
      fake.setU64(link(fake, first + 2), link(fake, first));
    },
  ],
  [
    'whose page points to itself',
    /CPU 0, .* does not point back/,
    (fake) => {
      fake.setU64(link(fake, first + 5), link(fake, first + 5));
    },
  ],
  [
    'whose end is not where its head says',
    /CPU 0, .* ends elsewhere than it says/,
    (fake) => {
      fake.setU64(fake.pcpListAt(0, 1) + 8n, link(fake, first + 5));
    },
  ],
  [
    'with an entry inside a struct page',
    /CPU 0, .* leads to 0x[0-9a-f]+, which is no page/,
    (fake) => {
      fake.setU64(link(fake, first), link(fake, first + 5) + 8n);
    },
  ],
  [
    'with an entry before the memmap',
    /CPU 0, .* which is no page/,
    (fake) => {
      fake.setU64(link(fake, first), fake.memmapBase - 0x100n);
    },
  ],
  [
    'with an entry behind all memory',
    /CPU 0, .* which is no page/,
    (fake) => {
      fake.setU64(link(fake, first), link(fake, 2 ** 40));
    },
  ],
  [
    'with an entry that is a null pointer',
    /CPU 0, .* leads to 0x0, which is no page/,
    (fake) => {
      fake.setU64(link(fake, first), 0n);
    },
  ],
];

describe.each<Era>(['5.10', '6.1'])('a kernel of %s', (era) => {
  test.each(damages)(
    'a CPU with a list %s is not believed, and the other is',
    (_, reason, damage) => {
      const fake = fourPages(era);
      damage(fake);
      expect(walk(fake)).toEqual([
        expect.stringMatching(reason) as unknown as string,
        [[first + 9, 0]],
      ]);
    },
  );
});

test('a CPU whose area is not mapped is not believed, and the other is', () => {
  const fake = fourPages();
  const zones = readZones(fake.kernel);
  const memmap = openMemmap(fake.kernel, frameCount);
  fake.setU64(fake.symbols.get('__per_cpu_offset') ?? 0n, 1n << 40n);
  expect(
    [...perCpuLists(fake.kernel, memmap, zones)].map(({ cpu, runs, broken }) => [
      cpu.number,
      runs?.length ?? broken,
    ]),
  ).toEqual([
    [0, 'the free list of CPU 0, zone 1 of node 0 is missing'],
    [1, 1],
  ]);
});

test.each<[string, RegExp, (fake: FakeKernel) => void]>([
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
  const fake = fourPages();
  damage(fake);
  expect(() => walk(fake)).toThrow(Inconsistency);
  expect(() => walk(fake)).toThrow(message);
});

test('a CPU that may never run is left out', () => {
  const fake = fourPages();
  fake.setPcpCount(1, 77);
  fake.setU64(fake.symbols.get('__cpu_possible_mask') ?? 0n, 0b01n);
  expect(walk(fake)).toEqual([singles]);
});
