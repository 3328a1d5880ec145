// The kernel's counters beside the labels: which are compared with what.
import { compareCounters, countLabels } from '../../../introspect/label/counters.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../../introspect/page-class.js';
import { FakeKernel } from '../fake-kernel.js';

/** Pages of each class in numbers that tell every sum of them apart: powers of two. */
const counted: readonly PageLabel[] = [
  ...(['file-reread', 'file-clean', 'file-dirty', 'block-device', 'shmem', 'swap-cache'] as const),
  ...(['anon', 'ksm', 'slab', 'large-kmalloc'] as const),
];
const countOf = (label: PageLabel): number => 2 ** counted.indexOf(label);
const sum = (...labels: readonly PageLabel[]): number =>
  labels.reduce((total, label) => total + countOf(label), 0);
const labels = Uint8Array.from([
  ...counted.flatMap((label) => Array<number>(countOf(label)).fill(labelNumbers[label])),
  // Classes that no counter is about.
  ...Array<number>(5000).fill(labelNumbers.free),
  ...Array<number>(7000).fill(labelNumbers.other),
]);

function compared(fake: FakeKernel) {
  return compareCounters(fake.kernel, labels).map(
    ({ counter, kernelPageCount, foundPageCount, guardsCache }) => [
      counter,
      kernelPageCount,
      foundPageCount,
      guardsCache,
    ],
  );
}

const cache = ['file-reread', 'file-clean', 'file-dirty', 'block-device'] as const;
const lists =
  'NR_INACTIVE_ANON + NR_ACTIVE_ANON + NR_INACTIVE_FILE + NR_ACTIVE_FILE + NR_UNEVICTABLE + ' +
  'NR_ISOLATED_ANON + NR_ISOLATED_FILE';

test('every counter stands beside the pages that it counts', () => {
  const fake = new FakeKernel();
  fake.setNodeCounter('NR_FILE_PAGES', 11n);
  fake.setNodeCounter('NR_SHMEM', 12n);
  fake.setNodeCounter('NR_ANON_MAPPED', 13n);
  fake.setNodeCounter('NR_SWAPCACHE', 14n);
  fake.setNodeCounter('NR_INACTIVE_ANON', 1n);
  fake.setNodeCounter('NR_ACTIVE_ANON', 2n);
  fake.setNodeCounter('NR_INACTIVE_FILE', 4n);
  fake.setNodeCounter('NR_ACTIVE_FILE', 8n);
  fake.setNodeCounter('NR_UNEVICTABLE', 16n);
  fake.setNodeCounter('NR_ISOLATED_ANON', 32n);
  fake.setNodeCounter('NR_ISOLATED_FILE', 64n);
  fake.setPendingNodeCounter('NR_SLAB_RECLAIMABLE_B', 1, 3);
  fake.setNodeCounter('NR_SLAB_UNRECLAIMABLE_B', 100n);
  expect(compared(fake)).toEqual([
    ['NR_FILE_PAGES', 11, sum(...cache, 'shmem', 'swap-cache'), true],
    ['NR_SHMEM', 12, sum('shmem'), false],
    ['NR_ANON_MAPPED', 13, sum('anon', 'ksm', 'swap-cache'), false],
    ['NR_SWAPCACHE', 14, sum('swap-cache'), false],
    [lists, 127, sum(...cache, 'shmem', 'anon', 'swap-cache', 'ksm'), true],
    ['NR_SLAB_RECLAIMABLE_B + NR_SLAB_UNRECLAIMABLE_B', 103, sum('slab', 'large-kmalloc'), false],
  ]);
});

test('labels are counted by their numbers', () => {
  const counts = countLabels(labels);
  expect(counts[labelNumbers.free]).toBe(5000);
  expect(counted.map((label) => counts[labelNumbers[label]])).toEqual(counted.map(countOf));
  expect(counts.reduce((total, count) => total + count)).toBe(labels.length);
  expect(counts[pageClasses.length]).toBe(0);
});
