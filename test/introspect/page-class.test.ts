// The labels' numbers stand in label files and manifests: each must mean for ever what it means now.
import { labelNumbers, pageClasses } from '../../introspect/page-class.js';

/** A new class goes to the end; nothing here is ever changed. */
const golden = [
  [0, 'unknown', false],
  [1, 'not-ram', false],
  [2, 'free', true],
  [3, 'free-pcp', true],
  [4, 'file-reread', true],
  [5, 'file-clean', false],
  [6, 'file-dirty', false],
  [7, 'anon', false],
  [8, 'shmem', false],
  [9, 'slab', false],
  [10, 'page-table', false],
  [11, 'kernel-stack', false],
  [12, 'kernel-image', false],
  [13, 'reserved', false],
  [14, 'other', false],
  [15, 'offline', true],
  [16, 'hugetlb', false],
  [17, 'hugetlb-free', false],
  [18, 'swap-cache', false],
  [19, 'ksm', false],
  [20, 'zsmalloc', false],
  [21, 'large-kmalloc', false],
  [22, 'block-device', false],
  [23, 'device', false],
  [24, 'page-pool', false],
  [25, 'hwpoison', false],
  [26, 'disk-held', true],
  [27, 'disk', false],
] as const;

test('every number keeps its label and what may be done with it', () => {
  expect(pageClasses.map(({ number, label, expendable }) => [number, label, expendable])).toEqual(
    golden,
  );
});

test('a class is found by its number and by its label', () => {
  expect(pageClasses.map(({ number }) => number)).toEqual([...pageClasses.keys()]);
  expect(labelNumbers).toEqual(
    Object.fromEntries(golden.map(([number, label]) => [label, number])),
  );
});

test('a page that nothing is known of is critical', () => {
  // What a fresh array of labels holds.
  expect(pageClasses[0]).toMatchObject({ label: 'unknown', expendable: false });
});

test('every class says in a line what it is and what its loss means', () => {
  for (const { meaning, loss } of pageClasses) {
    expect(meaning).toMatch(/^\S[^\n]{5,120}$/);
    expect(loss).toMatch(/^\S[^\n]{3,120}$/);
  }
});
