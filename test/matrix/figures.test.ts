// The comparison itself: a matrix that cannot fail proves nothing.
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';
import { Kpageflags, KPF, type KpfName } from '../guest/kpageflags.js';
import { figuresOf, savingByIdeal, shortcomings } from './figures.js';
import { type PageStates, pageStates } from './page-truth.js';

interface Page {
  readonly label: PageLabel;
  readonly flags: readonly KpfName[];
  readonly mapCount?: number;
  /** At the second reading, where they differ. */
  readonly later?: readonly KpfName[];
}

const droppable: readonly KpfName[] = ['lru', 'uptodate'];
const free: Page = { label: 'free', flags: ['buddy'] };

function statesOf(pages: readonly Page[], flagsOf: (page: Page) => readonly KpfName[]): PageStates {
  const flags = pages.map((page) =>
    flagsOf(page).reduce((sum, name) => sum | (1n << BigInt(KPF[name])), 0n),
  );
  const mapCounts = Float64Array.from(pages, ({ mapCount }) => mapCount ?? 0);
  return pageStates({ flags: new Kpageflags(BigUint64Array.from(flags)), mapCounts });
}

function figuresFor(pages: readonly Page[], perCpuPageCount = 0) {
  const buddyPageCount = pages.filter(({ flags }) => flags.includes('buddy')).length;
  return figuresOf({
    map: {
      regions: [{ gpaStart: 0, sizeBytes: pages.length * 4096, imageOffset: 0 }],
      labels: Uint8Array.from(pages, ({ label }) => labelNumbers[label]),
      evidence: { kind: 'complete' },
      warnings: [],
      kernel: undefined,
    },
    before: statesOf(pages, ({ flags }) => flags),
    after: [statesOf(pages, ({ flags, later }) => later ?? flags)],
    counters: { buddyPageCount, perCpuPageCount, meminfo: new Map() },
  });
}

test('labels that the flags bear out have no shortcoming', () => {
  const pages: Page[] = [
    free,
    { label: 'free-pcp', flags: [] },
    { label: 'file-reread', flags: droppable },
    { label: 'file-clean', flags: [...droppable, 'mmap'], mapCount: 2 },
    { label: 'slab', flags: ['slab'] },
    { label: 'anon', flags: ['anon', 'lru', 'swapbacked'] },
    { label: 'other', flags: [] },
  ];
  const figures = figuresFor(pages, 1);
  expect(shortcomings(figures)).toEqual([]);
  expect(savingByIdeal(figures)).toBe(1);
});

const wrongPages: readonly { name: string; flags: readonly KpfName[]; mapCount?: number }[] = [
  { name: 'dirty', flags: [...droppable, 'dirty'] },
  { name: 'mapped', flags: droppable, mapCount: 1 },
  { name: 'anonymous', flags: [...droppable, 'anon'] },
  { name: 'locked', flags: [...droppable, 'locked'] },
  { name: 'mlocked or unevictable', flags: [...droppable, 'mlocked'] },
  { name: 'swap-backed', flags: [...droppable, 'swapcache'] },
  { name: 'with private data', flags: [...droppable, 'private'] },
  { name: 'reserved', flags: ['reserved'] },
  { name: 'slab', flags: ['slab'] },
  { name: 'hugetlb', flags: ['huge'] },
];

test.each(wrongPages)('an expendable page that is $name is found', ({ name, flags, mapCount }) => {
  const figures = figuresFor([free, { label: 'file-reread', flags, mapCount: mapCount ?? 0 }]);
  expect(figures.wrongCount).toBe(1);
  expect(figures.wrong[name]).toBe(1);
  expect(shortcomings(figures)).toContain(`1 expendable pages are ${name}`);
});

test('a tail is what its head is, and mapped where any page of its block is', () => {
  const tail: readonly KpfName[] = ['compoundTail'];
  const head: readonly KpfName[] = [...droppable, 'compoundHead'];
  const dirty = figuresFor([
    free,
    { label: 'file-dirty', flags: [...head, 'dirty'] },
    { label: 'file-reread', flags: tail },
  ]);
  expect(dirty.wrong['dirty']).toBe(1);
  const mapped = figuresFor([
    free,
    { label: 'file-reread', flags: head },
    { label: 'file-reread', flags: tail, mapCount: 1 },
    // The next block has nothing to do with it.
    { label: 'file-reread', flags: droppable },
  ]);
  expect(mapped.wrong['mapped']).toBe(2);
});

test('pages that the readings differ on are left out, but for how lately they were used', () => {
  const figures = figuresFor([
    free,
    { label: 'file-reread', flags: [...droppable, 'dirty'], later: droppable },
    { label: 'file-reread', flags: droppable, later: [...droppable, 'referenced', 'idle'] },
  ]);
  expect(figures.leftOutCount).toBe(1);
  expect(figures.wrongCount).toBe(0);
});

test('a kernel that shows every anonymous page as merged says nothing of merging', () => {
  const anon: Page = { label: 'anon', flags: ['anon', 'ksm', 'lru'] };
  expect(shortcomings(figuresFor([free, anon, { ...anon, label: 'ksm' }]))).toEqual([]);
  const telling: Page = { label: 'anon', flags: ['anon', 'lru'] };
  expect(shortcomings(figuresFor([free, anon, telling])).join()).toContain(
    '1 pages labelled anon have other flags',
  );
});

test('free pages and cache that are not found show, and free pages that are none', () => {
  const missed = figuresFor([free, { label: 'other', flags: ['buddy'] }]);
  expect(shortcomings(missed).join()).toContain('only 50.00 % of the free pages are found');
  const invented = figuresFor([free, { label: 'free-pcp', flags: [] }]);
  expect(shortcomings(invented).join()).toContain('200.00 % of the free pages are found');
  const kept = figuresFor([free, { label: 'file-clean', flags: droppable }]);
  expect(shortcomings(kept).join()).toContain('only 50.00 % of the ideal saving is reached');
});

test('a label with flags of another kind of page shows, unless the page may just have been taken', () => {
  const wrong = figuresFor([free, { label: 'slab', flags: ['anon', 'lru'] }]);
  expect(shortcomings(wrong).join()).toContain('1 pages labelled slab have other flags');
  const taken = figuresFor([free, { label: 'slab', flags: [] }]);
  expect(shortcomings(taken)).toEqual([]);
  expect(taken.labels.slab?.freeAtReadingsCount).toBe(1);
});
