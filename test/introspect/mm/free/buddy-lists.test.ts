// The buddy allocator's lists as a second witness: followed while every link holds, list by list.
import { blocksOnBuddyLists } from '../../../../introspect/mm/free/buddy-lists.js';
import { MemmapLookup, openMemmap } from '../../../../introspect/mm/memmap.js';
import { readZones } from '../../../../introspect/mm/zones/zone.js';
import { FakeKernel, firstOrdinaryPfn as first, frameCount } from '../../fake-kernel.js';
import type { Era } from '../../kernel-types.js';

function blocks(fake: FakeKernel): readonly (readonly [pfn: number, order: number])[] {
  const lookup = new MemmapLookup(fake.kernel, openMemmap(fake.kernel, frameCount));
  const [zone] = readZones(fake.kernel);
  return [...blocksOnBuddyLists(fake.kernel, lookup, zone)].map(({ pfn, order }) => [pfn, order]);
}

/** Three single pages, two blocks of order 2, one of order 9. */
function someBlocks(era: Era = '6.1'): FakeKernel {
  const fake = new FakeKernel({ era });
  for (const pfn of [first, first + 2, first + 4]) {
    fake.addFreeBlock(pfn, 0);
  }
  fake.addFreeBlock(first + 8, 2);
  fake.addFreeBlock(first + 16, 2);
  fake.addFreeBlock(first + 512, 9);
  return fake;
}
const others = [
  [first + 8, 2],
  [first + 16, 2],
  [first + 512, 9],
] as const;

test.each<Era>(['5.10', '6.1', '7.3'])('a kernel of %s: every block of every order', (era) => {
  expect(blocks(someBlocks(era))).toEqual([[first, 0], [first + 2, 0], [first + 4, 0], ...others]);
});

test('blocks of every migrate type are found', () => {
  const fake = new FakeKernel();
  [0, 1, 4].forEach((type) => {
    const list = fake.buddyListAt(3, type);
    const link = fake.linkOf(first + type * 8);
    fake.setU64(list, link);
    fake.setU64(list + 8n, link);
    fake.setU64(link, list);
    fake.setU64(link + 8n, list);
  });
  expect(blocks(fake)).toEqual([
    [first, 3],
    [first + 8, 3],
    [first + 32, 3],
  ]);
});

test.each<[string, readonly number[], (fake: FakeKernel) => void]>([
  [
    'whose second block does not point back',
    [first],
    (fake) => {
      fake.setU64(fake.linkOf(first + 2) + 8n, fake.linkOf(first + 4));
    },
  ],
  [
    'that leads nowhere after its second block',
    [first, first + 2],
    (fake) => {
      fake.setU64(fake.linkOf(first + 2), 0n);
    },
  ],
  [
    'that is not a list from the beginning',
    [],
    (fake) => {
      fake.setU64(fake.buddyListAt(0), 0n);
    },
  ],
  [
    'that turns back to its first block',
    [first, first + 2, first + 4],
    (fake) => {
      fake.setU64(fake.linkOf(first + 4), fake.linkOf(first));
    },
  ],
])('a list %s is followed so far, and the other lists wholly', (_, found, damage) => {
  const fake = someBlocks();
  damage(fake);
  expect(blocks(fake)).toEqual([...found.map((pfn) => [pfn, 0]), ...others]);
});

test('a list is not followed for longer than the zone has blocks', () => {
  const fake = new FakeKernel();
  // A zone of 4 frames, and a sound list of five blocks.
  fake.set('zone', fake.zone, 'spanned_pages', 4n);
  for (let index = 0; index < 5; index++) {
    fake.addFreeBlock(first + index * 2, 0);
  }
  expect(blocks(fake)).toHaveLength(4);
});
