// One label per struct page: every condition by itself, then any mixture against a model of what may be given up.
import * as fc from 'fast-check';
import { Mappings } from '../../../introspect/mm/cache/mapping.js';
import { openMemmap } from '../../../introspect/mm/memmap.js';
import { type LabellerContext, MemmapLabeller } from '../../../introspect/mm/memmap-labeller.js';
import { pageFlagMasks } from '../../../introspect/mm/page-flags.js';
import { pageLayout } from '../../../introspect/mm/page-layout.js';
import { pageTypes, pageTypeTest } from '../../../introspect/mm/page-type.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../../introspect/page-class.js';
import { FakeKernel, frameCount } from '../fake-kernel.js';
import { buddyOrderCount, type Era } from '../kernel-types.js';
import {
  compound,
  freeBlank,
  freeBlock,
  freeHead,
  lateTypeValues,
  maskedCompound,
  type PageFlag,
  type StructPage,
  structPageBytes,
  typeValues,
  writeStructPage,
} from './struct-page.js';

/** A kernel with a few files, and how its struct pages are labelled. */
class Guest {
  readonly fake: FakeKernel;
  /** 256 pages long. */
  readonly diskFile: bigint;
  readonly unlinkedFile: bigint;
  readonly memoryFile: bigint;
  readonly blockDevice: bigint;
  /** A driver's structure, and no address_space at all. */
  readonly notAFile: bigint;
  readonly #context: LabellerContext;

  constructor(era: Era) {
    this.fake = new FakeKernel({ era });
    const { kernel, btf } = this.fake;
    this.diskFile = this.fake.addFile().mapping;
    this.unlinkedFile = this.fake.addFile({ linkCount: 0 }).mapping;
    this.memoryFile = this.fake.addFile({ fileSystem: 'tmpfs' }).mapping;
    this.blockDevice = this.fake.addFile({ fileSystem: 'bdev', mode: 0o060660 }).mapping;
    this.notAFile = this.fake.allocateBytes(192);
    this.#context = {
      layout: pageLayout(btf),
      flags: pageFlagMasks(btf),
      types: pageTypes(kernel.vmcoreinfo, btf),
      hugetlbDestructor: btf.enumeration('compound_dtor_id')?.get('HUGETLB_PAGE_DTOR'),
      zoneShift: 30,
      mappings: new Mappings(kernel),
      buddyOrderCount,
      memmap: openMemmap(kernel, frameCount),
    };
  }

  /** `steps`: how many frames each call of `label` gets, all at once unless told. */
  label(
    pages: readonly StructPage[],
    changed: Partial<LabellerContext> = {},
    steps: readonly number[] = [pages.length],
  ): Labelled {
    const labeller = new MemmapLabeller({ ...this.#context, ...changed });
    const words = wordsOf(pages);
    const labels = new Uint8Array(pages.length);
    let pfn = 0;
    for (const count of steps) {
      const from = (pfn * structPageBytes) / 4;
      labeller.label(words.subarray(from), count, pfn, labels, pfn);
      pfn += count;
    }
    labeller.endRun(labels, pfn, pfn);
    return {
      labels: [...labels].map((number) => pageClasses[number].label),
      brokenBlockCount: labeller.brokenBlockCount,
      freeBlocks: new Map(
        [...labeller.freeBlockCounts].map(([key, count]) => [
          `${Math.floor(key / buddyOrderCount)}:${key % buddyOrderCount}`,
          count,
        ]),
      ),
    };
  }
}

const guest = new Guest('6.1');
const old = new Guest('5.10');
const late = new Guest('7.3');
const { fake, diskFile, unlinkedFile, memoryFile, blockDevice, notAFile } = guest;
const label = guest.label.bind(guest);

interface Labelled {
  readonly labels: readonly PageLabel[];
  readonly brokenBlockCount: number;
  /** `zone bits:order` to blocks. */
  readonly freeBlocks: ReadonlyMap<string, number>;
}

function wordsOf(pages: readonly StructPage[]): Int32Array {
  const bytes = Buffer.from(new ArrayBuffer(pages.length * structPageBytes));
  pages.forEach((page, index) => {
    writeStructPage(bytes, index * structPageBytes, page);
  });
  return new Int32Array(bytes.buffer);
}

/** A page that may be read again, of which each test takes one condition away. */
const cleanFlags: readonly PageFlag[] = ['PG_lru', 'PG_uptodate', 'PG_referenced'];
const cleanFilePage: StructPage = {
  flags: cleanFlags,
  mapping: diskFile,
  index: 255n,
  refcount: 1,
};
/** As programs have it. */
const anonymous: StructPage = {
  flags: ['PG_lru', 'PG_swapbacked', 'PG_uptodate'],
  mapping: diskFile | 1n,
  type: 0,
};
/** PP_SIGNATURE over the poison that pointers to no list get. */
const poolSignature = 0xdead_0000_0000_0040n;
const without = (flag: PageFlag): readonly PageFlag[] => cleanFlags.filter((name) => name !== flag);
const and = (...more: readonly PageFlag[]): readonly PageFlag[] => [...cleanFlags, ...more];

describe('a page by itself', () => {
  test.each<[string, PageLabel, StructPage]>([
    ['clean, up to date, unmapped, of a proven file', 'file-reread', cleanFilePage],
    [
      'with every flag that only tells of its age',
      'file-reread',
      { ...cleanFilePage, flags: and('PG_active', 'PG_workingset', 'PG_readahead', 'PG_idle') },
    ],
    [
      'with aging bits above the flags',
      'file-reread',
      { ...cleanFilePage, flagsHigh: 0x4000_00ff },
    ],
    ['dirty', 'file-dirty', { ...cleanFilePage, flags: and('PG_dirty') }],
    ['locked', 'file-dirty', { ...cleanFilePage, flags: and('PG_locked') }],
    ['under writeback', 'file-dirty', { ...cleanFilePage, flags: and('PG_writeback') }],
    ['not up to date', 'file-dirty', { ...cleanFilePage, flags: without('PG_uptodate') }],
    ['with buffers', 'file-clean', { ...cleanFilePage, flags: and('PG_private') }],
    ['in a second cache', 'file-clean', { ...cleanFilePage, flags: and('PG_private_2') }],
    ['checked', 'file-clean', { ...cleanFilePage, flags: and('PG_checked') }],
    ['unevictable', 'file-clean', { ...cleanFilePage, flags: and('PG_unevictable') }],
    ['locked into memory', 'file-clean', { ...cleanFilePage, flags: and('PG_mlocked') }],
    ['poisoned', 'hwpoison', { ...cleanFilePage, flags: and('PG_hwpoison') }],
    ['poisoned, in no use', 'hwpoison', { flags: ['PG_hwpoison'] }],
    ['poisoned anonymous memory', 'hwpoison', { ...anonymous, flags: ['PG_hwpoison', 'PG_lru'] }],
    ['a poisoned page of slab', 'slab', { flags: ['PG_hwpoison', 'PG_slab'] }],
    ['waited for', 'file-clean', { ...cleanFilePage, flags: and('PG_waiters') }],
    ['with a failed read', 'file-clean', { ...cleanFilePage, flags: and('PG_error') }],
    ['off the reclaim lists', 'file-clean', { ...cleanFilePage, flags: without('PG_lru') }],
    ['mapped by a process', 'file-clean', { ...cleanFilePage, type: 0, refcount: 2 }],
    ['mapped, with a reference missing', 'file-clean', { ...cleanFilePage, type: 0 }],
    ['pinned', 'file-clean', { ...cleanFilePage, refcount: 2 }],
    ['pinned for long', 'file-clean', { ...cleanFilePage, refcount: 1025 }],
    ['without any reference', 'other', { ...cleanFilePage, refcount: 0 }],
    ["beyond the file's end", 'file-clean', { ...cleanFilePage, index: 256n }],
    ["far beyond the file's end", 'file-clean', { ...cleanFilePage, index: 2n ** 32n }],
    ['of an unproven file', 'file-clean', { ...cleanFilePage, mapping: unlinkedFile }],
    ['of a file in memory', 'shmem', { ...cleanFilePage, mapping: memoryFile }],
    ['of what is no file', 'file-clean', { ...cleanFilePage, mapping: notAFile }],
    [
      "of a driver, with the driver's own pointer",
      'other',
      { flags: ['PG_uptodate'], mapping: notAFile },
    ],
    ['swap-backed with a mapping', 'shmem', { ...cleanFilePage, flags: and('PG_swapbacked') }],
    ['anonymous', 'anon', anonymous],
    ['anonymous on no reclaim list yet', 'anon', { ...anonymous, flags: ['PG_swapbacked'] }],
    ['anonymous, lazily freed', 'anon', { ...anonymous, flags: ['PG_lru', 'PG_uptodate'] }],
    [
      'anonymous with a place in swap',
      'swap-cache',
      { ...anonymous, flags: ['PG_lru', 'PG_swapbacked', 'PG_swapcache', 'PG_uptodate'] },
    ],
    [
      'anonymous, where the bit of the swap cache means another thing',
      'anon',
      { ...anonymous, flags: ['PG_lru', 'PG_swapcache', 'PG_uptodate'] },
    ],
    ['merged by KSM', 'ksm', { ...anonymous, mapping: diskFile | 3n }],
    [
      'merged by KSM with a place in swap',
      'ksm',
      {
        ...anonymous,
        mapping: diskFile | 3n,
        flags: ['PG_lru', 'PG_swapbacked', 'PG_swapcache', 'PG_uptodate'],
      },
    ],
    ['that drivers move', 'other', { ...cleanFilePage, mapping: diskFile | 2n }],
    [
      'in the swap cache without a mapping',
      'swap-cache',
      { flags: ['PG_swapbacked', 'PG_swapcache', 'PG_uptodate'] },
    ],
    ['swap-backed without a mapping', 'anon', { flags: ['PG_swapbacked', 'PG_uptodate'] }],
    ['of a block device', 'block-device', { ...cleanFilePage, mapping: blockDevice }],
    [
      'of a block device and dirty',
      'block-device',
      { ...cleanFilePage, mapping: blockDevice, flags: and('PG_dirty') },
    ],
    [
      'of a block device, with buffers and not up to date',
      'block-device',
      { mapping: blockDevice, flags: ['PG_lru', 'PG_private'] },
    ],
    ['of a file in memory and dirty', 'shmem', { mapping: memoryFile, flags: ['PG_dirty'] }],
    ["of a network driver's pool", 'page-pool', { compoundHead: poolSignature }],
    [
      'of a pool, with an index in the signature',
      'page-pool',
      { compoundHead: poolSignature | 0xab00n },
    ],
    [
      'with the signature of a pool and no reference',
      'other',
      { compoundHead: poolSignature, refcount: 0 },
    ],
    ['with half the signature of a pool', 'other', { compoundHead: 0x40n }],
    [
      'linked into a list, as a pool is not',
      'other',
      { compoundHead: fake.structPageAddress(64) + 8n },
    ],
    ['with the leftovers of anonymous use', 'other', { mapping: diskFile | 1n, refcount: 0 }],
    ['slab', 'slab', { ...cleanFilePage, flags: and('PG_slab') }],
    ['slab whose counters look like a free page', 'slab', { ...freeHead(0), flags: ['PG_slab'] }],
    ['reserved', 'reserved', { ...cleanFilePage, flags: and('PG_reserved') }],
    // 6.1 does not say which number its page tables have.
    ['a page table', 'other', { ...cleanFilePage, type: typeValues.table }],
    ['offline', 'offline', { type: typeValues.offline }],
    [
      'offline, with what its driver keeps',
      'offline',
      { ...cleanFilePage, type: typeValues.offline },
    ],
    ['offline and reserved', 'offline', { flags: ['PG_reserved'], type: typeValues.offline }],
    ['offline but for one bit', 'other', { type: typeValues.offline & ~0x40 }],
    ['a guard page', 'other', { type: typeValues.guard, refcount: 0 }],
    ['typed and reserved', 'reserved', { flags: ['PG_reserved'], type: typeValues.guard }],
    ['mapped more often than can be', 'other', { ...cleanFilePage, type: 0x8000_0000 }],
    ['in use without a mark', 'other', {}],
    ['with the look of a free page that is on no list', 'other', freeBlank],
    ['a tail without a head', 'unknown', { ...cleanFilePage, compoundHead: diskFile | 1n }],
  ])('%s is %s', (_, expected, page) => {
    expect(label([page]).labels).toEqual([expected]);
  });

  test.each<[string, PageLabel, StructPage]>([
    ['6.11', 'slab', { type: 0xfdff_0007 }],
    ['6.11', 'free', { type: 0xbfff_0001, refcount: 0 }],
    ['6.12', 'slab', { type: 0xf500_0040 }],
    ['6.12', 'free', { type: 0xf000_0000, refcount: 0 }],
    ['6.12', 'other', { ...cleanFilePage, type: 0xf200_0000 }],
  ])('a kernel of %s, which has slab as a type, marks a page as %s', (era, expected, page) => {
    const [buddy, slab] = era === '6.12' ? [0xf000_0000, 0xf500_0000] : [0xbfff_ffff, 0xfdff_ffff];
    const none = { offline: undefined, table: undefined, hugetlb: undefined };
    const types = {
      ...none,
      buddy: pageTypeTest(buddy),
      slab: pageTypeTest(slab),
      zsmalloc: undefined,
      largeKmalloc: undefined,
    };
    expect(label([page], { types }).labels).toEqual([expected]);
  });

  test.each<[PageLabel, keyof typeof lateTypeValues]>([
    ['offline', 'offline'],
    ['page-table', 'table'],
    ['hugetlb', 'hugetlb'],
    ['slab', 'slab'],
    ['zsmalloc', 'zsmalloc'],
    ['large-kmalloc', 'largeKmalloc'],
    ['other', 'guard'],
    ['other', 'unaccepted'],
  ])('is %s for its type in a kernel of 7.3, whatever else it looks like', (expected, type) => {
    const looks: readonly StructPage[] = [
      {},
      { ...cleanFilePage, mapping: late.diskFile },
      { flags: ['PG_swapbacked', 'PG_uptodate'] },
      { refcount: 0 },
    ];
    for (const look of looks) {
      const { labels } = late.label([{ ...look, type: lateTypeValues[type] }]);
      expect(labels).toEqual([expected]);
    }
  });

  test('may keep what it likes below its type in a kernel of 7.3, but for one that is offline', () => {
    const withOwner = (type: number): PageLabel =>
      late.label([{ type: type | 0x12_3456 }]).labels[0];
    expect(withOwner(lateTypeValues.slab)).toBe('slab');
    expect(withOwner(lateTypeValues.zsmalloc)).toBe('zsmalloc');
    expect(withOwner(lateTypeValues.offline)).toBe('other');
  });
});

describe('a free block', () => {
  const used: StructPage = {};

  test.each([0, 1, 3, 10])('of order %i paints exactly its 2^order pages', (order) => {
    const size = 2 ** order;
    const before = Array<StructPage>(size).fill(used);
    const { labels, freeBlocks, brokenBlockCount } = label([...before, ...freeBlock(order), used]);
    expect(labels).toEqual([
      ...before.map(() => 'other'),
      ...Array<PageLabel>(size).fill('free'),
      'other',
    ]);
    expect([...freeBlocks]).toEqual([[`1:${order}`, 1]]);
    expect(brokenBlockCount).toBe(0);
  });

  test('is the same when the memmap is read in pieces', () => {
    const pages = [
      ...freeBlock(3),
      ...compound({ ...cleanFilePage, refcount: 4 }, 2, fake.structPageAddress(8)),
      used,
    ];
    const whole = label(pages);
    expect(label(pages, {}, [1, 2, 5, 3, 2])).toEqual(whole);
    expect(whole.labels.slice(8, 12)).toEqual(Array(4).fill('file-reread'));
  });

  test('beside another of its size stays its own', () => {
    const { labels, freeBlocks } = label([...freeBlock(2), ...freeBlock(2)]);
    expect(labels).toEqual(Array(8).fill('free'));
    expect(freeBlocks.get('1:2')).toBe(2);
  });

  test.each<[string, StructPage]>([
    ['in use', used],
    ['mapped', { refcount: 0, type: 0 }],
    ['free by itself', freeHead(0)],
    ['a tail', { refcount: 0, compoundHead: fake.memmapBase | 1n }],
    ['of another zone', { refcount: 0, flagsHigh: 0x8000_0000 }],
  ])('with a page that is %s is unknown as far as it was believed', (_, intruder) => {
    const pages = [...freeBlock(3)];
    pages[5] = intruder;
    const { labels, brokenBlockCount } = label(pages);
    expect(labels.slice(0, 6)).toEqual(Array(6).fill('unknown'));
    expect(labels).not.toContain('free');
    expect(brokenBlockCount).toBe(1);
  });

  test.each<[string, StructPage[]]>([
    ['of an order that the allocator does not have', [freeHead(buddyOrderCount)]],
    ['of a nonsensical order', [freeHead(0xffff_ffff)]],
    ['whose head is referenced', [{ ...freeHead(0), refcount: 1 }]],
    ['that is not aligned', [used, ...freeBlock(1)]],
  ])('%s is unknown and not counted', (_, pages) => {
    const { labels, freeBlocks, brokenBlockCount } = label(pages);
    expect(labels).toContain('unknown');
    expect(labels).not.toContain('free');
    expect(freeBlocks.size).toBe(0);
    expect(brokenBlockCount).toBe(1);
  });

  test('that goes on past the end of memory is unknown', () => {
    const { labels, brokenBlockCount } = label(freeBlock(3).slice(0, 6));
    expect(labels).toEqual(Array(6).fill('unknown'));
    expect(brokenBlockCount).toBe(1);
  });
});

describe('a compound page', () => {
  const headAddress = fake.structPageAddress(0);

  test.each<[PageLabel, StructPage]>([
    ['file-reread', { ...cleanFilePage, index: 0n, refcount: 4 }],
    ['file-clean', { ...cleanFilePage, index: 0n, refcount: 5 }],
    ['file-clean', { ...cleanFilePage, index: 0n, refcount: 1 }],
    ['file-dirty', { ...cleanFilePage, index: 0n, refcount: 4, flags: and('PG_dirty') }],
    ['slab', { flags: ['PG_slab'] }],
    ['other', {}],
  ])('is %s with all its tails when its head is', (expected, head) => {
    const { labels } = label([...compound(head, 2, headAddress), {}]);
    expect(labels).toEqual([...Array<PageLabel>(4).fill(expected), 'other']);
  });

  const readable: StructPage = { ...cleanFilePage, index: 0n, refcount: 8 };

  test.each<[string, StructPage]>([
    ['points to another head', { refcount: 0, compoundHead: fake.structPageAddress(1) | 1n }],
    ['points nowhere', { refcount: 0 }],
    ['points to its head without the mark of a tail', { compoundHead: headAddress }],
    [
      'points to its head in the low half only',
      { refcount: 0, compoundHead: (headAddress & 0xffff_ffffn) | 1n },
    ],
  ])('one of whose tails %s is unknown as far as it was believed', (_, tail) => {
    const pages = [...compound(readable, 3, headAddress)];
    pages[6] = tail;
    const { labels, brokenBlockCount } = label(pages);
    expect(labels.slice(0, 6)).toEqual(Array(6).fill('unknown'));
    expect(labels).not.toContain('file-reread');
    expect(brokenBlockCount).toBeGreaterThan(0);
  });

  test.each([0, 19, 255])('of order %i is unknown', (order) => {
    const pages = [...compound(readable, 1, headAddress)];
    pages[1] = { ...pages[1], order };
    expect(label(pages).labels).toEqual(['unknown', 'unknown']);
  });

  test('that is not aligned is unknown', () => {
    const pages = [{}, ...compound(readable, 1, fake.structPageAddress(1))];
    expect(label(pages).labels).toEqual(['other', 'unknown', 'unknown']);
  });
});

describe('a compound page whose tails hold a mask (7.1 on)', () => {
  const readable: StructPage = {
    ...cleanFilePage,
    mapping: late.diskFile,
    index: 0n,
    refcount: 4,
  };
  const maskOf = (order: number): bigint =>
    BigInt.asUintN(64, -BigInt(structPageBytes * 2 ** order)) | 1n;

  test.each([1, 2, 5, 9])('of order %i is labelled as its head, wherever it lies', (order) => {
    const size = 2 ** order;
    const head = { ...readable, refcount: size };
    const pages = [...maskedCompound(head, order), ...maskedCompound(head, order), {}];
    expect(late.label(pages)).toEqual({
      labels: [...Array<PageLabel>(2 * size).fill('file-reread'), 'other'],
      brokenBlockCount: 0,
      freeBlocks: new Map(),
    });
  });

  test.each<[string, StructPage]>([
    ['holds the mask of a smaller page', { refcount: 0, compoundHead: maskOf(1) }],
    ['holds the mask of a larger page', { refcount: 0, compoundHead: maskOf(3) }],
    ['points to its head', { refcount: 0, compoundHead: late.fake.structPageAddress(0) | 1n }],
    ['is no tail', { refcount: 0 }],
  ])('one of whose tails %s is unknown as far as it was believed', (_, tail) => {
    const pages = [...maskedCompound(readable, 2)];
    pages[3] = tail;
    const { labels, brokenBlockCount } = late.label(pages);
    expect(labels).toEqual(Array(4).fill('unknown'));
    expect(brokenBlockCount).toBe(1);
  });

  test('is not one to a kernel whose tails point to their head, and the other way round', () => {
    const masked = maskedCompound({ ...readable, mapping: diskFile }, 2).map((page, index) =>
      index === 1 ? { ...page, order: 2 } : page,
    );
    expect(label(masked).labels).toEqual(Array(4).fill('unknown'));
    const pointing = compound(readable, 2, late.fake.structPageAddress(0)).map((page, index) =>
      index === 1 ? { ...page, orderInFlags: 2 } : page,
    );
    expect(late.label(pointing).labels).toEqual(Array(4).fill('unknown'));
  });

  test.each<[PageLabel, StructPage]>([
    ['slab', { type: lateTypeValues.slab }],
    ['hugetlb', { type: lateTypeValues.hugetlb }],
    ['large-kmalloc', { type: lateTypeValues.largeKmalloc }],
    ['anon', { ...anonymous, mapping: late.diskFile | 1n }],
    ['block-device', { ...readable, mapping: late.blockDevice }],
    // Of a compound page, a tail may be the poisoned one.
    ['other', { flags: ['PG_hwpoison'] }],
  ])('is %s with all its tails when its head is', (expected, head) => {
    expect(late.label(maskedCompound(head, 3)).labels).toEqual(Array(8).fill(expected));
  });
});

describe('a huge page (hugetlbfs)', () => {
  const headAddress = old.fake.structPageAddress(0);
  const withDestructor = (destructor: number): readonly StructPage[] =>
    compound({}, 9, headAddress).map((page, index) =>
      index === 1 ? { ...page, destructor } : page,
    );

  test('is known by its destructor where there is no type for it', () => {
    expect(old.label(withDestructor(2)).labels).toEqual(Array(512).fill('hugetlb'));
    expect(old.label(withDestructor(1)).labels).toEqual(Array(512).fill('other'));
  });

  test('may show its head again where each page of its memmap begins, as the memmap of tails may be given back', () => {
    const whole = withDestructor(2);
    const pages = whole.map((page, index) => (index % 64 === 0 ? whole[0] : page));
    const { labels, brokenBlockCount } = old.label(pages);
    expect(labels).toEqual(Array(512).fill('hugetlb'));
    expect(brokenBlockCount).toBe(0);
  });

  test.each([
    ['elsewhere than where a page of the memmap begins', 2, 65],
    ['without a tail behind it', 2, 64, 65],
    ['in a compound page that is no huge page', 1, 64],
  ])('a head %s is none of its frames', (_, destructor, ...heads) => {
    const whole = withDestructor(destructor);
    const pages = whole.map((page, index) => (heads.includes(index) ? whole[0] : page));
    const { labels, brokenBlockCount } = old.label(pages);
    expect(labels[64]).toBe('unknown');
    expect(brokenBlockCount).toBeGreaterThan(0);
  });

  test('is not known by that byte in a kernel that has no destructors', () => {
    const pages = withDestructor(2);
    expect(label(pages).labels).toEqual(Array(512).fill('other'));
  });
});

describe('pages that repeat their neighbour', () => {
  /** Alike in some of what the labeller compares, so that what it does not compare would show. */
  const pool: readonly StructPage[] = [
    cleanFilePage,
    { ...cleanFilePage, index: 256n },
    { ...cleanFilePage, index: 2n ** 32n },
    { ...cleanFilePage, index: 0n },
    { ...cleanFilePage, mapping: unlinkedFile },
    { ...cleanFilePage, mapping: memoryFile },
    { ...cleanFilePage, mapping: blockDevice },
    { ...cleanFilePage, mapping: notAFile },
    { ...cleanFilePage, mapping: diskFile ^ (1n << 62n) },
    { ...cleanFilePage, refcount: 2 },
    { ...cleanFilePage, type: 0, refcount: 2 },
    { ...cleanFilePage, flags: and('PG_dirty') },
    { ...cleanFilePage, flags: and('PG_private') },
    { ...cleanFilePage, flagsHigh: 0x4000_0001 },
    { ...cleanFilePage, private: 1 },
    { ...cleanFilePage, compoundHead: poolSignature },
    { ...cleanFilePage, compoundHead: 1n },
    anonymous,
    { ...anonymous, mapping: diskFile | 3n },
    { flags: ['PG_swapbacked'] },
    {},
    { compoundHead: poolSignature },
    { compoundHead: poolSignature, refcount: 2 },
    { compoundHead: 0x40n },
    { refcount: 0 },
    { refcount: 0, compoundHead: poolSignature },
    { type: typeValues.buddy, refcount: 0 },
    { type: typeValues.buddy, refcount: 1 },
    { type: typeValues.offline },
    { type: typeValues.table },
    { flags: ['PG_slab'] },
    { flags: ['PG_slab'], type: typeValues.buddy },
    { flags: ['PG_reserved'] },
    { flags: ['PG_reserved'], type: typeValues.offline },
    { flags: ['PG_hwpoison'] },
  ];
  const runs = fc
    .array(fc.tuple(fc.constantFrom(...pool), fc.integer({ min: 1, max: 4 })), {
      minLength: 2,
      maxLength: 12,
    })
    .map((entries) => entries.flatMap(([page, count]) => Array<StructPage>(count).fill(page)));

  test('are labelled as if each were alone', () => {
    const met = new Set<PageLabel>();
    fc.assert(
      fc.property(runs, (pages) => {
        const { labels } = label(pages);
        const alone = pages.map((page) => label([page]).labels[0]);
        expect(labels).toEqual(alone);
        labels.forEach((found) => met.add(found));
      }),
      { numRuns: 2000 },
    );
    // Every label that a single page of 6.1 can have by the memmap alone.
    expect([...met].sort()).toEqual(
      [
        ...['unknown', 'free', 'offline', 'slab', 'reserved', 'hwpoison', 'anon', 'ksm', 'shmem'],
        ...['block-device', 'file-reread', 'file-clean', 'file-dirty', 'page-pool', 'other'],
      ].sort(),
    );
  });

  test('of a kernel of 7.3 are too', () => {
    const types = [...Object.values(lateTypeValues), typeValues.none, 0];
    const page = fc.record({
      flags: fc.subarray(['PG_lru', 'PG_uptodate', 'PG_swapbacked', 'PG_reserved'] as const),
      type: fc.constantFrom(...types),
      mapping: fc.constantFrom(0n, late.diskFile, late.diskFile | 1n, late.blockDevice),
      refcount: fc.constantFrom(0, 1),
      index: fc.constantFrom(0n, 255n, 256n),
      compoundHead: fc.constantFrom(0n, poolSignature),
    });
    const pages = fc
      .array(fc.tuple(page, fc.integer({ min: 1, max: 3 })), { minLength: 2, maxLength: 10 })
      .map((entries) => entries.flatMap(([of, count]) => Array<StructPage>(count).fill(of)));
    fc.assert(
      fc.property(pages, (of) => {
        expect(late.label(of).labels).toEqual(of.map((one) => late.label([one]).labels[0]));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('any mixture of struct pages', () => {
  const pageCount = 32;
  const word = fc.oneof(
    fc.constantFrom(0n, diskFile, unlinkedFile, memoryFile, diskFile | 1n, diskFile | 3n),
    fc.nat(pageCount).map((pfn) => fake.structPageAddress(pfn) | 1n),
    fc.nat(300).map(BigInt),
  );
  const anyFlags = fc.subarray([
    'PG_lru',
    'PG_uptodate',
    'PG_dirty',
    'PG_locked',
    'PG_private',
    'PG_swapbacked',
    'PG_slab',
    'PG_head',
    'PG_reserved',
    'PG_active',
    'PG_mlocked',
  ] as const);
  const change: fc.Arbitrary<StructPage> = fc.oneof(
    fc.record({ flags: anyFlags }),
    fc.record({ flagsHigh: fc.constantFrom(0, 0x4000_0000, 0x8000_0000) }),
    fc.record({ compoundHead: word }),
    fc.record({ mapping: word }),
    fc.record({ index: word }),
    fc.record({ private: fc.nat(12) }),
    fc.record({ type: fc.constantFrom(...Object.values(typeValues), 0, 1) }),
    fc.record({ refcount: fc.constantFrom(0, 1, 2, 4, 8) }),
    fc.record({ order: fc.nat(5) }),
  );
  const order = fc.nat(3);
  /** Whole blocks laid side by side, from which some pages are then changed. */
  const block = (pfn: number): fc.Arbitrary<readonly StructPage[]> =>
    fc.oneof(
      order.map((of) => freeBlock(of)),
      fc
        .tuple(
          order.filter((of) => of > 0),
          fc.boolean(),
        )
        .map(([of, file]) =>
          compound(
            file ? { ...cleanFilePage, index: 0n, refcount: 2 ** of } : {},
            of,
            fake.structPageAddress(pfn),
          ),
        ),
      fc.constant([cleanFilePage]),
      fc.constant([{}]),
    );
  /** Each block begins at a multiple of 8, so is aligned. */
  const memmaps = fc
    .tuple(
      fc.tuple(block(0), block(8), block(16), block(24)),
      fc.array(fc.tuple(fc.nat(pageCount - 1), change), { maxLength: 6 }),
    )
    .map(([blocks, changes]) => {
      const pages: StructPage[] = Array<StructPage>(pageCount).fill({});
      blocks.forEach((of, index) => {
        pages.splice(index * 8, of.length, ...of);
      });
      for (const [pfn, changed] of changes) {
        pages[pfn] = { ...pages[pfn], ...changed };
      }
      return pages;
    });

  const has = (page: StructPage, ...flags: readonly PageFlag[]): boolean =>
    flags.some((flag) => page.flags?.includes(flag));
  const isTail = (page: StructPage): boolean => ((page.compoundHead ?? 0n) & 1n) === 1n;
  const sizesAt = (pfn: number): readonly number[] =>
    [1, 2, 4, 8, 16].filter((size) => pfn % size === 0);

  /** The page lies in some whole free block: what the kernel's allocator itself would make of these struct pages. */
  function mayBeFree(pages: readonly StructPage[], pfn: number): boolean {
    return pages.some(
      (head, start) =>
        head.type === typeValues.buddy &&
        head.refcount === 0 &&
        !has(head, 'PG_slab') &&
        !isTail(head) &&
        sizesAt(start).some(
          (size) =>
            2 ** (head.private ?? 0) === size &&
            start <= pfn &&
            pfn < start + size &&
            start + size <= pageCount &&
            pages
              .slice(start + 1, start + size)
              .every(
                (page) =>
                  page.refcount === 0 &&
                  (page.type ?? typeValues.none) === typeValues.none &&
                  !isTail(page) &&
                  (page.flagsHigh ?? 0x4000_0000) >>> 30 === (head.flagsHigh ?? 0x4000_0000) >>> 30,
              ),
        ),
    );
  }

  /** The page is, or belongs to, one that a driver has given back to the host. */
  function mayBeOffline(pages: readonly StructPage[], pfn: number): boolean {
    const isOffline = (page: StructPage): boolean =>
      page.type === typeValues.offline && !has(page, 'PG_slab') && !isTail(page);
    return (
      isOffline(pages[pfn]) ||
      pages.some(
        (head, start) =>
          has(head, 'PG_head') &&
          isOffline(head) &&
          pages[pfn].compoundHead === (fake.structPageAddress(start) | 1n),
      )
    );
  }

  /** The page is, or belongs to, a clean, unmapped, unpinned folio of the one file that is proven. */
  function mayBeRead(pages: readonly StructPage[], pfn: number): boolean {
    const folioIsClean = (head: StructPage, size: number): boolean =>
      head.mapping === diskFile &&
      (head.index ?? 0n) < 256n &&
      (head.refcount ?? 1) === size &&
      (head.type ?? typeValues.none) === typeValues.none &&
      has(head, 'PG_lru') &&
      has(head, 'PG_uptodate') &&
      !isTail(head) &&
      !has(
        head,
        'PG_dirty',
        'PG_locked',
        'PG_private',
        'PG_swapbacked',
        'PG_slab',
        'PG_reserved',
        'PG_mlocked',
      );
    if (!has(pages[pfn], 'PG_head') && folioIsClean(pages[pfn], 1)) {
      return true;
    }
    return pages.some(
      (head, start) =>
        has(head, 'PG_head') &&
        sizesAt(start).some(
          (size) =>
            size > 1 &&
            start <= pfn &&
            pfn < start + size &&
            folioIsClean(head, size) &&
            pages
              .slice(start + 1, start + size)
              .every(({ compoundHead }) => compoundHead === (fake.structPageAddress(start) | 1n)),
        ),
    );
  }

  test('gives up a page only if the model of the kernel would', () => {
    let expendableCount = 0;
    fc.assert(
      fc.property(memmaps, (pages) => {
        const { labels } = label(pages);
        labels.forEach((found, pfn) => {
          if (pageClasses[labelNumbers[found]].expendable) {
            expendableCount++;
            const allowed =
              found === 'free'
                ? mayBeFree(pages, pfn)
                : found === 'offline'
                  ? mayBeOffline(pages, pfn)
                  : mayBeRead(pages, pfn);
            expect([pfn, found, allowed]).toEqual([pfn, found, true]);
          }
        });
      }),
      { numRuns: 1500 },
    );
    // Else the property would say nothing.
    expect(expendableCount).toBeGreaterThan(1500);
  });
});
