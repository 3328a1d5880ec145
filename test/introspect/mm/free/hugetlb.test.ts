// Free huge pages: on the lists of each size's pool, and only where these add up to its count.
import { freeHugePages } from '../../../../introspect/mm/free/hugetlb.js';
import { openMemmap } from '../../../../introspect/mm/memmap.js';
import { FakeKernel, firstOrdinaryPfn as first, frameCount } from '../../fake-kernel.js';

function free(fake: FakeKernel): readonly (readonly [pfn: number, order: number])[] {
  return freeHugePages(fake.kernel, openMemmap(fake.kernel, frameCount)).map(({ pfn, order }) => [
    pfn,
    order,
  ]);
}

test('of every size and node are found', () => {
  const fake = new FakeKernel();
  fake.addHugePageSize(9, [[first, first + 512], []]);
  fake.addHugePageSize(4, [[first + 16], [first + 32, first + 48]]);
  expect(free(fake)).toEqual([
    [first, 9],
    [first + 512, 9],
    [first + 16, 4],
    [first + 32, 4],
    [first + 48, 4],
  ]);
});

test('of a kernel without huge pages are none', () => {
  expect(free(new FakeKernel())).toEqual([]);
});

const sound = [[first + 16, 4]] as const;

test.each<[string, (fake: FakeKernel, state: bigint) => void]>([
  [
    'counts more than it lists',
    (fake, state) => {
      fake.set('hstate', state, 'free_huge_pages', 3n);
    },
  ],
  [
    'counts fewer than it lists',
    (fake, state) => {
      fake.set('hstate', state, 'free_huge_pages', 1n);
    },
  ],
  [
    'counts none, and lists some',
    (fake, state) => {
      fake.set('hstate', state, 'free_huge_pages', 0n);
    },
  ],
  [
    'counts more than there can be',
    (fake, state) => {
      fake.set('hstate', state, 'free_huge_pages', -1n);
    },
  ],
  [
    'has an order that no page has',
    (fake, state) => {
      fake.set('hstate', state, 'order', 19n);
    },
  ],
  [
    'has order 0, as a slot that is not in use',
    (fake, state) => {
      fake.set('hstate', state, 'order', 0n);
    },
  ],
  [
    'has a list that leads nowhere',
    (fake) => {
      fake.setU64(fake.linkOf(first), 0n);
    },
  ],
  [
    'has a list that turns back',
    (fake) => {
      fake.setU64(fake.linkOf(first + 512), fake.linkOf(first));
    },
  ],
])('of a size that %s are none, and those of another size are found', (_, damage) => {
  const fake = new FakeKernel();
  const damaged = fake.addHugePageSize(9, [[first, first + 512]]);
  fake.addHugePageSize(4, [[first + 16]]);
  damage(fake, damaged);
  expect(free(fake)).toEqual(sound);
});

test('are not looked for in more sizes than a kernel can have', () => {
  const fake = new FakeKernel();
  fake.addHugePageSize(9, [[first]]);
  fake.setU64(fake.symbols.get('hugetlb_max_hstate') ?? 0n, 0xffff_ffffn);
  expect(free(fake)).toEqual([[first, 9]]);
});
