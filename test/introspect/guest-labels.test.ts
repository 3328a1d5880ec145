// The labels against the guest kernel's own word, for the part of the matrix that a test run has time for, and for RAM
// on both sides of the hole below 4 GiB. test/matrix says what is compared, and boots the rest.
import type { PageLabel } from '../../introspect/page-class.js';
import { fixtureGuest, type FixtureName } from '../guest/fixtures.js';
import type { KpfName } from '../guest/kpageflags.js';
import { shortcomings } from '../matrix/figures.js';
import { type Observation, observe } from '../matrix/observe.js';
import { anyOf } from '../matrix/page-truth.js';

const bootTimeoutMs = 300_000;

interface Expected {
  readonly name: FixtureName;
  /** Least pages, by the kernel's flags: a check that no expendable page is dirty needs dirty pages. */
  readonly flags: Partial<Record<KpfName, number>>;
  readonly labels: Partial<Record<PageLabel, number>>;
}

const inEveryGuest: Expected['flags'] = {
  dirty: 1000,
  anon: 1000,
  slab: 2000,
  pageTable: 50,
  mmap: 10_000,
  swapbacked: 1000,
  reserved: 5000,
  private: 1000,
  compoundTail: 1000,
  buddy: 10_000,
};

// 150 MiB of files are read, 4 MiB written and not synced, 20 MiB are in tmpfs.
const mixed: Expected['labels'] = { 'file-reread': 30_000, 'file-dirty': 1000, shmem: 5000 };

const guests: readonly Expected[] = [
  { name: 'aged', flags: { mlocked: 2000, unevictable: 2500 }, labels: mixed },
  { name: 'aboveHole', flags: {}, labels: mixed },
  {
    name: 'oldest',
    flags: {},
    labels: { 'file-reread': 30_000, 'file-clean': 10_000, 'file-dirty': 1000 },
  },
  {
    name: 'newest',
    flags: { huge: 4096, ksm: 7, swapcache: 1, thp: 4096 },
    labels: { 'file-reread': 10_000, hugetlb: 1536, ksm: 7, zsmalloc: 1000, 'swap-cache': 1 },
  },
];

function flagged({ before }: Observation, flag: KpfName): number {
  const has = anyOf(flag);
  let count = 0;
  for (let pfn = 0; pfn < before.pfnCount; pfn++) {
    if (has(before, pfn)) {
      count++;
    }
  }
  return count;
}

function labelled({ figures }: Observation, label: PageLabel): number {
  return figures.labels[label]?.pageCount ?? 0;
}

describe.each(guests)('guest $name', ({ name, flags, labels }) => {
  let guest: Observation;

  beforeAll(async () => {
    const fixture = await fixtureGuest(name);
    guest = await observe(fixture);
  }, bootTimeoutMs);

  test('has pages of every kind that is told apart', () => {
    const tooFew = [
      ...Object.entries({ ...inEveryGuest, ...flags })
        .map(([flag, least]) => ({ flag, least, count: flagged(guest, flag as KpfName) }))
        .filter(({ count, least }) => count < least),
      ...Object.entries({ free: 10_000, 'free-pcp': 10, ...labels })
        .map(([label, least]) => ({ label, least, count: labelled(guest, label as PageLabel) }))
        .filter(({ count, least }) => count < least),
    ];
    expect(tooFew).toEqual([]);
  });

  test('no expendable page is anything that its loss would break', () => {
    expect(Object.entries(guest.figures.wrong).filter(([, count]) => count > 0)).toEqual([]);
  });

  test('labels, free pages and saving are what the kernel says', () => {
    expect(shortcomings(guest.figures)).toEqual([]);
  });
});
