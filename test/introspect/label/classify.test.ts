// All steps together on a fake kernel: what each adds to the labels, and that a disagreement takes back what it bears on
// and nothing else.
import { Inconsistency } from '../../../introspect/inconsistency.js';
import type { KernelSymbol } from '../../../introspect/kernel/kernel.js';
import { classify } from '../../../introspect/label/classify.js';
import type { PageMap } from '../../../introspect/label/page-map.js';
import { readZones } from '../../../introspect/mm/zones/zone.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../../introspect/page-class.js';
import { withTypes } from '../changed-types.js';
import {
  FakeKernel,
  type FakeKernelOptions,
  firstOrdinaryPfn as first,
  frameCount,
  zoneStart,
} from '../fake-kernel.js';
import type { Era, NodeStatItem } from '../kernel-types.js';
import {
  compound,
  lateTypeValues,
  maskedCompound,
  type PageFlag,
  type StructPage,
  typeValues,
} from '../mm/struct-page.js';

function classifyFake(fake: FakeKernel): PageMap {
  return classify(fake.introspected);
}

/** Two free blocks, two pages that CPU 0 keeps back, one page of a file that can be read again. */
function smallGuest(options: FakeKernelOptions = {}): FakeKernel {
  const fake = new FakeKernel(options);
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

type Labelled = readonly (readonly [pfn: number, label: PageLabel])[];
const frames = (from: number, count: number, label: PageLabel): Labelled =>
  Array.from({ length: count }, (_, index) => [from + index, label]);

/** Every page that is given up. */
function givenUp(map: PageMap): Labelled {
  return [...map.labels.keys()]
    .filter((pfn) => pageClasses[map.labels[pfn]].expendable)
    .map((pfn) => [pfn, pageClasses[map.labels[pfn]].label]);
}

const blockOf8 = frames(first, 8, 'free');
const singleBlock = frames(first + 16, 1, 'free');
const keptBack: Labelled = [
  [first + 18, 'free-pcp'],
  [first + 20, 'free-pcp'],
];
const fileCache = frames(first + 30, 1, 'file-reread');

/** The guest's labels, but that these pages are labelled so; and these are the doubts. */
function expectConfined(
  map: PageMap,
  given: Labelled,
  unknown: Labelled,
  doubts: readonly RegExp[],
): void {
  expect(givenUp(map)).toEqual(given);
  expect(
    [...map.labels.keys()]
      .filter((pfn) => map.labels[pfn] === labelNumbers.unknown)
      .map((pfn) => [pfn, 'unknown']),
  ).toEqual(unknown);
  expect(map.evidence.kind).toBe('partial');
  expect(map.warnings).toEqual(
    doubts.map(
      (doubt) =>
        expect.stringMatching(new RegExp(`^kept as critical: .*${doubt.source}`)) as unknown,
    ),
  );
  expect(map.evidence).toEqual({
    kind: 'partial',
    reason: map.warnings[0].replace('kept as critical: ', ''),
  });
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
  expect(givenUp(map)).toEqual([...blockOf8, ...singleBlock, ...keptBack, ...fileCache]);
});

test.each<Era>(['5.10', '7.3'])('a kernel of %s is read as one of 6.1 is', (era) => {
  const map = classifyFake(smallGuest({ era }));
  expect(map.evidence).toEqual({ kind: 'complete' });
  expect(givenUp(map)).toEqual([...blockOf8, ...singleBlock, ...keptBack, ...fileCache]);
});

test('a kernel for one CPU alone is read as others are, without their symbols', () => {
  for (const era of ['5.10', '6.1', '7.3'] as const) {
    const fake = smallGuest({ era, hasSmp: false });
    const map = classifyFake(fake);
    expect(map.evidence).toEqual({ kind: 'complete' });
    expect(givenUp(map)).toEqual([...blockOf8, ...singleBlock, ...keptBack, ...fileCache]);
    fake.addToFreePageCount(1);
    expect(classifyFake(fake).warnings.join()).toMatch(/counts 10 free pages/);
  }
});

test('where the number of CPUs is no variable, the mask of CPUs says which there are', () => {
  const fake = smallGuest();
  fake.setPcpList(1, 0, [first + 26]);
  fake.setPcpCount(1, 1);
  fake.symbols.delete('nr_cpu_ids');
  const map = classifyFake(fake);
  expect(map.evidence).toEqual({ kind: 'complete' });
  expect(count(map, 'free-pcp')).toBe(3);
});

test.each<[KernelSymbol, RegExp]>([
  ['__per_cpu_offset', /__per_cpu_offset is missing/],
  ['__cpu_possible_mask', /__cpu_possible_mask is missing/],
])('a kernel for several CPUs is not read without %s', (symbol, reason) => {
  const fake = smallGuest();
  fake.symbols.delete(symbol);
  expect(() => readZones(fake.kernel)).toThrow(reason);
});

test('one that has lost the symbols of its CPUs is not taken for one with a single CPU', () => {
  const fake = smallGuest();
  fake.symbols.delete('__per_cpu_offset');
  fake.symbols.delete('nr_cpu_ids');
  expect(() => readZones(fake.kernel)).toThrow(/__per_cpu_offset is missing/);
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

describe('what does not add up takes back what it bears on, and no more', () => {
  test('a compound page that does not hold together', () => {
    const fake = smallGuest();
    fake.setPages(first + 64, compound({}, 2, fake.structPageAddress(first + 64)));
    fake.setPage(first + 66, {});
    expectConfined(
      classifyFake(fake),
      [...blockOf8, ...singleBlock, ...keptBack, ...fileCache],
      // The head, the tail before the wrong one, the wrong one, and the tail after it.
      frames(first + 64, 4, 'unknown'),
      [/2 blocks of pages do not hold together/],
    );
  });

  test('a zone that counts a block more than there are keeps those that its lists lead to: all', () => {
    const fake = smallGuest();
    fake.setU64(fake.freeBlockCountAt(3), 2n);
    expectConfined(
      classifyFake(fake),
      [...blockOf8, ...singleBlock, ...keptBack, ...fileCache],
      [],
      [/zone 1 of node 0 counts 2 free blocks of order 3, the memmap shows 1/],
    );
  });

  test('a zone that counts a page less keeps those that its lists lead to: all', () => {
    const fake = smallGuest();
    fake.addToFreePageCount(-1);
    expectConfined(
      classifyFake(fake),
      [...blockOf8, ...singleBlock, ...keptBack, ...fileCache],
      [],
      [/zone 1 of node 0 counts 8 free pages, the memmap shows 9/],
    );
  });

  test('a block that looks free and is on no list is not believed', () => {
    const fake = smallGuest();
    fake.setPage(first + 40, { type: typeValues.buddy, private: 0, refcount: 0 });
    expectConfined(
      classifyFake(fake),
      [...blockOf8, ...singleBlock, ...keptBack, ...fileCache],
      frames(first + 40, 1, 'unknown'),
      [/counts 1 free blocks of order 0, the memmap shows 2/],
    );
  });

  test('a block of another order than its list is for is not believed', () => {
    const fake = smallGuest();
    // Order 3 becomes 2: the list of order 3 claims eight pages, of which four are not free.
    fake.ram.bytes.writeUInt32LE(2, fake.gpaOf(fake.structPageAddress(first)) + 40);
    expectConfined(
      classifyFake(fake),
      [...singleBlock, ...keptBack, ...fileCache],
      frames(first, 4, 'unknown'),
      [/counts 0 free blocks of order 2, the memmap shows 1/],
    );
  });

  test('a free block with a page in use is not believed as far as it was gone through', () => {
    const fake = smallGuest();
    fake.setPage(first + 3, {});
    expectConfined(
      classifyFake(fake),
      [...singleBlock, ...keptBack, ...fileCache],
      frames(first, 4, 'unknown'),
      [/1 blocks of pages do not hold together/],
    );
  });

  test('blocks behind the first link that does not hold are not believed', () => {
    const fake = smallGuest();
    [40, 42, 44].forEach((page) => {
      fake.addFreeBlock(first + page, 0);
    });
    fake.addToFreePageCount(1);
    fake.setU64(fake.linkOf(first + 42) + 8n, 0n);
    expectConfined(
      classifyFake(fake),
      [...blockOf8, ...singleBlock, ...keptBack, ...fileCache, ...frames(first + 40, 1, 'free')],
      [...frames(first + 42, 1, 'unknown'), ...frames(first + 44, 1, 'unknown')],
      [/counts 14 free pages, the memmap shows 13|counts 13 free pages, the memmap shows 12/],
    );
  });

  test('a zone that adds up is believed beside one that does not', () => {
    const fake = smallGuest();
    const split = first + 512;
    fake.set('zone', fake.zone, 'spanned_pages', BigInt(split - zoneStart));
    fake.addZone(2, split, frameCount);
    fake.setPage(split + 8, {
      type: typeValues.buddy,
      refcount: 0,
      private: 0,
      flagsHigh: 0x8000_0000,
    });
    expectConfined(
      classifyFake(fake),
      [...blockOf8, ...singleBlock, ...keptBack, ...fileCache],
      frames(split + 8, 1, 'unknown'),
      [/zone 2 of node 0 counts 0 free blocks of order 0, the memmap shows 1/],
    );
  });

  test('free blocks that belong to no zone take all free blocks with them', () => {
    const fake = smallGuest();
    fake.setPage(first + 40, {
      type: typeValues.buddy,
      refcount: 0,
      private: 0,
      flagsHigh: 0xc000_0000,
    });
    expectConfined(
      classifyFake(fake),
      [...keptBack, ...fileCache],
      [
        ...frames(first, 8, 'unknown'),
        ...frames(first + 16, 1, 'unknown'),
        ...frames(first + 40, 1, 'unknown'),
      ],
      [/1 free blocks in the memmap belong to no zone/],
    );
  });

  const ofOtherCpu = frames(first + 26, 1, 'free-pcp');
  const onOtherCpu = (fake: FakeKernel): void => {
    fake.setPcpList(1, 0, [first + 26]);
    fake.setPcpCount(1, 1);
  };

  test("a CPU whose list does not hold keeps its pages, and the other CPU's are given up", () => {
    const fake = smallGuest();
    onOtherCpu(fake);
    fake.setPcpCount(0, 3);
    const map = classifyFake(fake);
    expectConfined(
      map,
      [...blockOf8, ...singleBlock, ...ofOtherCpu, ...fileCache],
      [],
      [/the free list of CPU 0, zone 1 of node 0 holds 2 pages, but states 3/],
    );
    expect(keptBack.map(([pfn]) => pageClasses[map.labels[pfn]].label)).toEqual(['other', 'other']);
  });

  test("a page on a CPU's list that is in use by a file is nobody's, and the CPU is not believed", () => {
    const fake = smallGuest();
    onOtherCpu(fake);
    const link = fake.linkOf(first + 18);
    const [next, previous] = [fake.getU64(link), fake.getU64(link + 8n)];
    fake.setPage(first + 18, {
      flags: ['PG_lru', 'PG_uptodate'],
      mapping: fake.addFile().mapping,
    });
    fake.setU64(link, next);
    fake.setU64(link + 8n, previous);
    expectConfined(
      classifyFake(fake),
      [...blockOf8, ...singleBlock, ...ofOtherCpu, ...fileCache],
      frames(first + 18, 1, 'unknown'),
      [/the free list of CPU 0, .*: frame 1042 on it is in use or outside the zone/],
    );
  });

  test("a page on a CPU's list that is in a free block too is nobody's, and the rest of the block stays", () => {
    const fake = smallGuest();
    fake.setPcpList(1, 0, [first + 2]);
    fake.setPcpCount(1, 1);
    expectConfined(
      classifyFake(fake),
      [...blockOf8.filter(([pfn]) => pfn !== first + 2), ...singleBlock, ...keptBack, ...fileCache],
      frames(first + 2, 1, 'unknown'),
      [/the free list of CPU 1, .*: frame 1026 on it is in use/],
    );
  });

  test('a page that two CPUs keep back is nobody’s', () => {
    const fake = smallGuest();
    // Order 2 from 1044 on covers 1044, which CPU 0 has by itself.
    fake.setPcpList(0, 0, [first + 20]);
    fake.setPcpCount(0, 1);
    const link = fake.getU64(fake.pcpListAt(0, 0));
    fake.setPcpList(1, 6, [first + 18]);
    fake.setPcpCount(1, 4);
    expect(fake.getU64(fake.pcpListAt(0, 0))).toBe(link);
    expectConfined(
      classifyFake(fake),
      [...blockOf8, ...singleBlock, ...fileCache],
      frames(first + 20, 1, 'unknown'),
      [/the free list of CPU 1, .*: frame 1042 on it is in use/],
    );
  });

  test("a page on a CPU's list that lies behind the zone is not given up", () => {
    const fake = smallGuest();
    fake.set('zone', fake.zone, 'spanned_pages', BigInt(frameCount - zoneStart - 1));
    fake.setPcpList(1, 0, [frameCount - 1]);
    fake.setPcpCount(1, 1);
    const map = classifyFake(fake);
    expectConfined(
      map,
      [...blockOf8, ...singleBlock, ...keptBack, ...fileCache],
      [],
      [/the free list of CPU 1, .*: frame 2047 on it is in use or outside the zone/],
    );
    expect(pageClasses[map.labels[frameCount - 1]].label).toBe('not-ram');
  });

  describe('clean cache that is not what the kernel counts', () => {
    const cachePages = 400;
    /** 256 pages may be in motion on two CPUs, so many more are there. */
    function guestOfFiles(): FakeKernel {
      const fake = smallGuest();
      const { mapping } = fake.addFile({ sizeBytes: 2n ** 30n });
      for (let page = 0; page < cachePages; page++) {
        fake.setPage(first + 100 + page, { flags: ['PG_lru', 'PG_uptodate'], mapping });
      }
      fake.setNodeCounter('NR_FILE_PAGES', BigInt(cachePages + 1));
      fake.setNodeCounter('NR_INACTIVE_FILE', BigInt(cachePages + 1));
      return fake;
    }
    const cache = [...fileCache, ...frames(first + 100, cachePages, 'file-reread')];

    test('is kept, and everything else is given up', () => {
      const fake = guestOfFiles();
      fake.setNodeCounter('NR_FILE_PAGES', 2000n);
      const map = classifyFake(fake);
      expectConfined(
        map,
        [...blockOf8, ...singleBlock, ...keptBack],
        [],
        [
          /clean file cache, as the kernel counts 2000 pages by NR_FILE_PAGES and the memmap shows 401/,
        ],
      );
      expect(count(map, 'file-clean')).toBe(cachePages + 1);
    });

    test.each<[NodeStatItem, bigint]>([
      ['NR_FILE_PAGES', 0n],
      ['NR_ACTIVE_ANON', 500n],
      ['NR_UNEVICTABLE', 500n],
    ])('is kept when %s is %i', (counter, value) => {
      const fake = guestOfFiles();
      fake.setNodeCounter(counter, value);
      const map = classifyFake(fake);
      expect(count(map, 'file-reread')).toBe(0);
      expect(map.evidence.kind).toBe('partial');
      expect(map.warnings).toEqual([expect.stringContaining(counter)]);
    });

    test.each<[NodeStatItem, bigint]>([
      ['NR_SLAB_RECLAIMABLE_B', 5000n],
      ['NR_SWAPCACHE', 5000n],
      ['NR_SHMEM', 5000n],
      ['NR_ANON_MAPPED', 5000n],
    ])('does not hang on %s, which says nothing of files', (counter, value) => {
      const fake = guestOfFiles();
      fake.setNodeCounter(counter, value);
      const map = classifyFake(fake);
      expect(map.evidence).toEqual({ kind: 'complete' });
      expect(count(map, 'file-reread')).toBe(cachePages + 1);
    });

    test('is given up while the difference may be pages in motion, and no longer', () => {
      const fake = guestOfFiles();
      // 128 pages for each CPU, and 0.2 % of the 657 that are counted.
      fake.setNodeCounter('NR_FILE_PAGES', BigInt(cachePages + 1 + 256 + 1));
      expect(givenUp(classifyFake(fake))).toEqual([
        ...blockOf8,
        ...singleBlock,
        ...keptBack,
        ...cache,
      ]);
      fake.setNodeCounter('NR_FILE_PAGES', BigInt(cachePages + 1 + 256 + 2));
      expect(count(classifyFake(fake), 'file-reread')).toBe(0);
    });

    test('counts of a CPU that are not yet added are part of the count', () => {
      const fake = guestOfFiles();
      fake.setNodeCounter('NR_FILE_PAGES', BigInt(cachePages + 1 + 300));
      fake.setPendingNodeCounter('NR_FILE_PAGES', 0, -120);
      fake.setPendingNodeCounter('NR_FILE_PAGES', 1, -120);
      expect(classifyFake(fake).evidence).toEqual({ kind: 'complete' });
    });
  });
});

describe('a huge page of a file that is just put together', () => {
  const hugePages = 512;
  const huge = first;
  const replaced = first + hugePages;
  /** 128 pages for each CPU. */
  const inMotion = 256;

  interface Stage {
    readonly hugeFlags: readonly PageFlag[];
    readonly hugeRefcount: number;
    readonly replacedCount: number;
    readonly era?: Era;
    readonly disk?: string;
  }
  /** What is in the file and counts, and what is on a list. */
  interface Counts {
    readonly inFile: number;
    readonly onLists: number;
  }
  const filling: Stage = { hugeFlags: ['PG_locked'], hugeRefcount: 1, replacedCount: hugePages };
  const filled: Stage = {
    hugeFlags: ['PG_locked', 'PG_uptodate'],
    hugeRefcount: hugePages,
    replacedCount: hugePages,
  };
  const listed: Stage = { ...filled, hugeFlags: ['PG_locked', 'PG_uptodate', 'PG_lru'] };

  /** One more page of the file stays on its list, and is clean. */
  function guestWith(stage: Stage, { inFile, onLists }: Counts): FakeKernel {
    const { hugeFlags, hugeRefcount, replacedCount, era = '6.1' } = stage;
    const fake = new FakeKernel({ era });
    const { mapping } = fake.addFile({
      sizeBytes: 2n ** 30n,
      ...(stage.disk === undefined ? {} : { disk: stage.disk }),
    });
    const head = { flags: hugeFlags, mapping, index: 1024n, refcount: hugeRefcount };
    fake.setPages(
      huge,
      era === '7.3' ? maskedCompound(head, 9) : compound(head, 9, fake.structPageAddress(huge)),
    );
    for (let page = 0; page < replacedCount; page++) {
      fake.setPage(replaced + page, {
        flags: ['PG_locked', 'PG_uptodate'],
        mapping,
        index: BigInt(1024 + page),
        refcount: 3,
      });
    }
    fake.setPage(clean, { flags: ['PG_lru', 'PG_uptodate'], mapping, index: 5n });
    fake.setNodeCounter('NR_FILE_PAGES', BigInt(inFile + 1));
    fake.setNodeCounter('NR_INACTIVE_FILE', BigInt(onLists + 1));
    return fake;
  }
  /** No frame of the fake kernel itself. */
  const clean = 900;

  test.each<[string, Stage, Counts]>([
    ['while it is filled', filling, { inFile: hugePages, onLists: 0 }],
    ['and is not counted yet', filled, { inFile: hugePages, onLists: 0 }],
    ['and is counted already', filled, { inFile: 2 * hugePages, onLists: 0 }],
    [
      'with one reference of who puts it on a list',
      { ...filled, hugeRefcount: hugePages + 1 },
      { inFile: hugePages, onLists: 0 },
    ],
    ['and is on a list', listed, { inFile: hugePages, onLists: hugePages }],
    [
      'and is on a list, with what it replaces counted',
      listed,
      { inFile: 2 * hugePages, onLists: hugePages },
    ],
    ['in a kernel of 7.3', { ...filled, era: '7.3' }, { inFile: hugePages, onLists: 0 }],
    [
      'on a disk that is not proven',
      { ...filled, disk: 'dm-0' },
      { inFile: 2 * hugePages, onLists: 0 },
    ],
  ])('takes nothing back, %s, and is kept with what it replaces', (_, stage, counts) => {
    const map = classifyFake(guestWith(stage, counts));
    expect(map.warnings).toEqual([]);
    expect(map.evidence).toEqual({ kind: 'complete' });
    expect(givenUp(map)).toEqual(stage.disk === undefined ? frames(clean, 1, 'file-reread') : []);
  });

  const notCounted: Counts = { inFile: hugePages, onLists: 0 };
  test.each<[string, Stage, Counts]>([
    ['more pages are found than it has', filled, { inFile: hugePages - inMotion - 2, onLists: 0 }],
    ['fewer are found', filled, { inFile: 2 * hugePages + inMotion + 4, onLists: 0 }],
    ['more are on lists', filled, { inFile: hugePages, onLists: inMotion + 1 }],
    ['it is not locked', { ...filled, hugeFlags: ['PG_uptodate'] }, notCounted],
    [
      'it is unlocked, on a list',
      { ...listed, hugeFlags: ['PG_uptodate', 'PG_lru'] },
      { inFile: hugePages, onLists: hugePages },
    ],
    ['it is in the file without its data', { ...filled, hugeFlags: ['PG_locked'] }, notCounted],
    ['others hold it', { ...filled, hugeRefcount: hugePages + 2 }, notCounted],
    ['it has few references', { ...filled, hugeRefcount: 2 }, notCounted],
    [
      'it is on a list and replaces none',
      { ...listed, replacedCount: 0 },
      { inFile: 0, onLists: 0 },
    ],
    ['it is being filled, but counted', filling, { inFile: 2 * hugePages + inMotion, onLists: 0 }],
  ])('explains nothing when %s', (_, stage, counts) => {
    const map = classifyFake(guestWith(stage, counts));
    expect(map.evidence.kind).toBe('partial');
    expect(map.warnings.join()).toMatch(/clean file cache, as the kernel counts/);
    expect(count(map, 'file-reread')).toBe(0);
  });

  test.each<[string, StructPage]>([
    ['of another file', { mapping: 0xffff_8880_0020_0000n }],
    ['of another part of the file', { index: 512n }],
    ['in the hands of others', { refcount: 4 }],
    ['on a list', { flags: ['PG_locked', 'PG_uptodate', 'PG_lru'] }],
    ['not locked', { flags: ['PG_uptodate'] }],
  ])('does not explain locked pages that are %s', (_, change) => {
    const fake = guestWith(filled, notCounted);
    const { mapping } = fake.addFile({ sizeBytes: 2n ** 30n });
    for (let page = 0; page < hugePages; page++) {
      fake.setPage(replaced + page, {
        flags: ['PG_locked', 'PG_uptodate'],
        mapping: fake.getU64(fake.structPageAddress(huge) + 24n),
        index: BigInt(1024 + page),
        refcount: 3,
        ...change,
        ...('mapping' in change ? { mapping } : {}),
      });
    }
    expect(classifyFake(fake).evidence.kind).toBe('partial');
  });

  test('explains nothing when two claim the same place of the file', () => {
    const fake = guestWith({ ...filled, replacedCount: 0 }, { inFile: 0, onLists: 0 });
    expect(classifyFake(fake).evidence).toEqual({ kind: 'complete' });
    const head: StructPage = {
      flags: ['PG_locked', 'PG_uptodate'],
      mapping: fake.getU64(fake.structPageAddress(huge) + 24n),
      index: 1024n,
      refcount: hugePages,
    };
    fake.setPages(replaced, compound(head, 9, fake.structPageAddress(replaced)));
    expect(classifyFake(fake).evidence.kind).toBe('partial');
  });
});

test('huge pages that wait in the pool are told from those in use', () => {
  const fake = new FakeKernel({ era: '7.3' });
  const link = (pfn: number): readonly [bigint, bigint] => [
    fake.getU64(fake.linkOf(pfn)),
    fake.getU64(fake.linkOf(pfn) + 8n),
  ];
  for (const pfn of [first, first + 64]) {
    fake.setPages(pfn, maskedCompound({ type: lateTypeValues.hugetlb }, 4));
  }
  fake.addHugePageSize(4, [[first + 64]]);
  expect(link(first + 64)[0]).toBe(link(first + 64)[1]);
  const map = classifyFake(fake);
  expect(map.evidence).toEqual({ kind: 'complete' });
  expect(
    [...map.labels.slice(first, first + 128)].map((label) => pageClasses[label].label),
  ).toEqual([
    ...Array<PageLabel>(16).fill('hugetlb'),
    ...Array<PageLabel>(48).fill('other'),
    ...Array<PageLabel>(16).fill('hugetlb-free'),
    ...Array<PageLabel>(48).fill('other'),
  ]);
});

test('a huge page that the pool lists and the memmap does not know as one is not named so', () => {
  const fake = new FakeKernel({ era: '7.3' });
  fake.addHugePageSize(4, [[first + 64]]);
  const map = classifyFake(fake);
  expect(count(map, 'hugetlb-free')).toBe(0);
});

test('frames of a zone of devices are never given up', () => {
  const fake = smallGuest();
  const split = first + 512;
  fake.set('zone', fake.zone, 'spanned_pages', BigInt(split - zoneStart));
  fake.addZone(3, split, frameCount - 8);
  fake.setPage(split + 5, { flags: ['PG_lru', 'PG_uptodate'], mapping: fake.addFile().mapping });
  fake.setPage(split + 6, { type: typeValues.offline });
  const map = classifyFake(fake);
  expect(givenUp(map)).toEqual([...blockOf8, ...singleBlock, ...keptBack, ...fileCache]);
  expect([...map.labels.subarray(split)].map((label) => pageClasses[label].label)).toEqual([
    ...Array<PageLabel>(frameCount - 8 - split).fill('device'),
    ...Array<PageLabel>(8).fill('not-ram'),
  ]);
});

test('what a driver has given back to the host is given up', () => {
  const fake = smallGuest();
  fake.setPage(first + 80, { type: typeValues.offline });
  const map = classifyFake(fake);
  expect(map.evidence).toEqual({ kind: 'complete' });
  expect(givenUp(map)).toEqual([
    ...[...blockOf8, ...singleBlock, ...keptBack, ...fileCache],
    [first + 80, 'offline'],
  ]);
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
    'the memmap is not mapped',
    /the memmap of frame 0 is not mapped/,
    (fake) => {
      const moved = fake.memmapBase + (1n << 40n);
      fake.setU64(fake.section, moved | 0b1111n);
      fake.setU64(fake.symbols.get('vmemmap_base') ?? 0n, moved);
    },
  ],
  [
    'the sections put the memmap elsewhere than the kernel keeps it',
    /not where this kernel keeps it/,
    (fake) => {
      fake.setU64(fake.section, (fake.memmapBase + 0x1000n) | 0b1111n);
    },
  ],
  [
    'sections put the memmap at two places',
    /memory section 0|any memory section/,
    (fake) => {
      fake.setU64(fake.section, 0n);
    },
  ],
  [
    "a node's counters are not mapped",
    /the node counters of CPU 0 are not mapped/,
    (fake) => {
      fake.set('pglist_data', fake.nodeAt(0), 'per_cpu_nodestats', 1n << 40n);
    },
  ],
])('nothing is believed when %s', (_, reason, damage) => {
  const fake = smallGuest();
  damage(fake);
  expectNothingBelieved(classifyFake(fake), reason);
});

describe('zones', () => {
  test.each([-1, 4, 2 ** 28])('are inconsistent when free pages are counter %i of 4', (item) => {
    const kernel = withTypes(smallGuest().kernel, {
      values: { zone_stat_item: { NR_FREE_PAGES: item } },
    });
    expect(() => readZones(kernel)).toThrow(
      new Inconsistency(`NR_FREE_PAGES is ${item}, of 4 counters`),
    );
  });

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
        uncountedPageCount: 0,
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
