// All steps together on a fake kernel: what each adds to the labels, and that any disagreement takes all of them back.
import { classify } from '../../introspect/classify.js';
import { Inconsistency } from '../../introspect/mm/inconsistency.js';
import { readZones } from '../../introspect/mm/zone.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../introspect/page-class.js';
import type { PageMap } from '../../introspect/page-map.js';
import { FakeKernel, firstOrdinaryPfn as first, frameCount, zoneStart } from './fake-kernel.js';
import { compound } from './mm/struct-page.js';

function classifyFake(fake: FakeKernel): PageMap {
  const { kernel, ram } = fake;
  return classify({ found: true, memory: ram, kernel, zones: readZones(kernel) });
}

/** Two free blocks, two pages that CPU 0 keeps back, one page of a file that can be read again. */
function smallGuest(): FakeKernel {
  const fake = new FakeKernel();
  fake.addFreeBlock(first, 3);
  fake.addFreeBlock(first + 16, 0);
  fake.setPcpList(0, 0, [first + 20, first + 18]);
  fake.setPcpCount(0, 2);
  fake.setPage(first + 30, {
    flags: ['PG_lru', 'PG_uptodate'],
    mapping: fake.addFile().mapping,
  });
  return fake;
}

function count(map: PageMap, label: PageLabel): number {
  return map.labels.filter((number) => number === labelNumbers[label]).length;
}

function expectNothingBelieved(map: PageMap, reason: RegExp): void {
  expect(map.evidence).toEqual({
    kind: 'inconsistent',
    reason: expect.stringMatching(reason) as unknown,
  });
  expect(count(map, 'unknown')).toBe(frameCount);
  expect(map.kernel?.release).toBe('6.1.0-fake');
}

test('free blocks, CPU lists and clean files are found, and nothing else is given up', () => {
  const map = classifyFake(smallGuest());
  expect(map.evidence).toEqual({ kind: 'complete' });
  expect(map.warnings).toEqual([]);
  const givenUp: [number, PageLabel][] = [];
  map.labels.forEach((number, pfn) => {
    if (pageClasses[number].expendable) {
      givenUp.push([pfn, pageClasses[number].label]);
    }
  });
  expect(givenUp).toEqual([
    ...Array.from({ length: 8 }, (_, page) => [first + page, 'free']),
    [first + 16, 'free'],
    [first + 18, 'free-pcp'],
    [first + 20, 'free-pcp'],
    [first + 30, 'file-reread'],
  ]);
});

test("the kernel's own tables are named, and frames that no zone owns are no RAM", () => {
  const fake = smallGuest();
  const map = classifyFake(fake);
  const tablePfns = fake.tables.tables.map(({ gpa }) => gpa / 4096);
  expect(tablePfns.map((pfn) => pageClasses[map.labels[pfn]].label)).toEqual(
    tablePfns.map(() => 'page-table'),
  );
  expect(count(map, 'page-table')).toBe(tablePfns.length);
  expect(count(map, 'not-ram')).toBe(zoneStart);
});

test('free pages that a CPU has not yet counted in or out are part of the count', () => {
  const fake = smallGuest();
  fake.addToFreePageCount(-3);
  fake.setPendingFreePages(0, 5);
  fake.setPendingFreePages(1, -2);
  expect(classifyFake(fake).evidence).toEqual({ kind: 'complete' });
});

test('a page outside the zone is never given up, whatever its struct page says', () => {
  const fake = smallGuest();
  fake.addFreeBlock(0, 0);
  expect(pageClasses[classifyFake(fake).labels[0]].label).toBe('not-ram');
});

test('a compound page that does not hold together is unknown and a warning, and the rest is believed', () => {
  const fake = smallGuest();
  fake.setPages(first + 64, compound({}, 2, fake.structPageAddress(first + 64)));
  fake.setPage(first + 66, {});
  const map = classifyFake(fake);
  expect(map.evidence).toEqual({ kind: 'complete' });
  // The head, the tail before the wrong one, the wrong one, and the tail after it.
  expect(count(map, 'unknown')).toBe(4);
  expect(map.warnings).toEqual([expect.stringMatching(/2 blocks .* do not hold together/)]);
});

test('a section without a memmap is no RAM', () => {
  const fake = new FakeKernel();
  fake.setU64(fake.section, 0n);
  expectNothingBelieved(classifyFake(fake), /any memory section is missing/);
  // Another section's entry, beyond this RAM, does not stand in for it.
  fake.setU64(fake.section + 16n, fake.memmapBase | 0b1111n);
  expectNothingBelieved(classifyFake(fake), /any memory section is missing/);
});

test.each<[string, RegExp, (fake: FakeKernel) => void]>([
  [
    'the zone counts a block more',
    /counts 2 free blocks of order 3, the memmap shows 1/,
    (fake) => {
      fake.setU64(fake.freeBlockCountAt(3), 2n);
    },
  ],
  [
    'the zone counts a page less',
    /counts 8 free pages, the memmap shows 9/,
    (fake) => {
      fake.addToFreePageCount(-1);
    },
  ],
  [
    'a free block is broken',
    /counts 1 free blocks of order 0, the memmap shows 0/,
    (fake) => {
      fake.setPage(first + 16, {});
    },
  ],
  [
    "a page on a CPU's list is in use by a file",
    /frame 1042 on a CPU's free list is in use/,
    (fake) => {
      const link = fake.structPageAddress(first + 18) + 8n;
      const [next, previous] = [fake.getU64(link), fake.getU64(link + 8n)];
      fake.setPage(first + 18, {
        flags: ['PG_lru', 'PG_uptodate'],
        mapping: fake.addFile().mapping,
      });
      fake.setU64(link, next);
      fake.setU64(link + 8n, previous);
    },
  ],
  [
    "a page on a CPU's list is in a free block too",
    /frame 1026 on a CPU's free list is in use/,
    (fake) => {
      fake.setPcpList(1, 0, [first + 2]);
      fake.setPcpCount(1, 1);
    },
  ],
  [
    'two CPUs keep back the same page',
    /frame 1044 on a CPU's free list is in use/,
    (fake) => {
      // Order 2 from 1042 on covers 1044, which CPU 0 has by itself.
      fake.setPcpList(0, 0, [first + 20]);
      fake.setPcpCount(0, 1);
      fake.setPcpList(1, 6, [first + 18]);
      fake.setPcpCount(1, 4);
    },
  ],
  [
    "a page on a CPU's list lies behind the zone",
    /frame 2047 on a CPU's free list is in use or outside its zone/,
    (fake) => {
      fake.set('zone', fake.zone, 'spanned_pages', BigInt(frameCount - zoneStart - 1));
      fake.setPcpList(1, 0, [frameCount - 1]);
      fake.setPcpCount(1, 1);
    },
  ],
  [
    'the memmap is not mapped',
    /the memmap of frame 0 is not mapped/,
    (fake) => {
      fake.setU64(fake.section, (fake.memmapBase + (1n << 40n)) | 0b1111n);
    },
  ],
])('nothing is believed when %s', (_, reason, damage) => {
  const fake = smallGuest();
  damage(fake);
  expectNothingBelieved(classifyFake(fake), reason);
});

describe('zones', () => {
  test('are those that own frames, with their counts', () => {
    const fake = smallGuest();
    expect(readZones(fake.kernel)).toEqual([
      {
        node: 0,
        index: 1,
        address: fake.zone,
        startPfn: zoneStart,
        endPfn: frameCount,
        freePageCount: 9,
        freeBlockCounts: [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
      },
    ]);
  });

  test.each<[string, RegExp, (fake: FakeKernel) => void]>([
    [
      'none owns a frame',
      /no zone owns any page/,
      (fake) => {
        fake.set('zone', fake.zone, 'spanned_pages', 0n);
      },
    ],
    [
      'one spans more than numbers hold',
      /zone 1 of node 0 spans/,
      (fake) => {
        fake.set('zone', fake.zone, 'spanned_pages', -1n);
      },
    ],
    [
      'their counters are not mapped',
      /the zone counters of CPU 0 is missing/,
      (fake) => {
        fake.set('zone', fake.zone, 'per_cpu_zonestats', 0n);
      },
    ],
  ])('are inconsistent when %s', (_, reason, damage) => {
    const fake = smallGuest();
    damage(fake);
    expect(() => readZones(fake.kernel)).toThrow(Inconsistency);
    expect(() => readZones(fake.kernel)).toThrow(reason);
  });
});
