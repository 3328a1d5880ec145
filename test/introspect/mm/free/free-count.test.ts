// The guard over free pages.
import {
  type Disagreement,
  freeCountDisagreements,
} from '../../../../introspect/mm/free/free-count.js';
import type { Zone } from '../../../../introspect/mm/zones/zone.js';

const orderCount = 3;
const bits = { shift: 30, zoneWidth: 2 };

function zone(node: number, index: number, blocks: readonly number[], pageCount: number): Zone {
  return {
    node,
    index,
    address: 0n,
    startPfn: 0,
    endPfn: 100,
    uncountedPageCount: 0,
    freePageCount: pageCount,
    freeBlockCounts: blocks,
  };
}

/** Zone 1 of node 0 and zone 2 of node 1, whose keys are 1 and 6. */
const zones = [zone(0, 1, [3, 0, 2], 11), zone(1, 2, [0, 5, 0], 10)];
const found: readonly (readonly [key: number, count: number])[] = [
  [1 * orderCount + 0, 3],
  [1 * orderCount + 2, 2],
  [6 * orderCount + 1, 5],
];

function check(changedZones: readonly Zone[], counts = found): readonly Disagreement[] {
  return freeCountDisagreements(changedZones, bits, new Map(counts), orderCount);
}

test('counts that agree for every zone and order leave no disagreement', () => {
  expect(check(zones)).toEqual([]);
});

const [first, second] = zones;
const moreIn0 = zone(0, 1, [4, 0, 2], 12);
const lessIn0 = zone(0, 1, [3, 0, 1], 7);
const otherOrderIn1 = zone(1, 2, [10, 0, 0], 10);
const morePagesIn1 = zone(1, 2, [0, 5, 0], 11);

test.each<[string, readonly Zone[], typeof found, readonly Disagreement[]]>([
  [
    'one block less than a zone counts',
    [moreIn0, second],
    found,
    [
      {
        zone: moreIn0,
        reason: 'zone 1 of node 0 counts 4 free blocks of order 0, the memmap shows 3',
      },
    ],
  ],
  [
    'a block more than a zone counts',
    [lessIn0, second],
    found,
    [
      {
        zone: lessIn0,
        reason: 'zone 1 of node 0 counts 1 free blocks of order 2, the memmap shows 2',
      },
    ],
  ],
  [
    'as many pages in blocks of another order',
    [first, otherOrderIn1],
    found,
    [
      {
        zone: otherOrderIn1,
        reason: 'zone 2 of node 1 counts 10 free blocks of order 0, the memmap shows 0',
      },
    ],
  ],
  [
    'another number of pages than the zone counts besides its blocks',
    [first, morePagesIn1],
    found,
    [
      {
        zone: morePagesIn1,
        reason: 'zone 2 of node 1 counts 11 free pages, the memmap shows 10',
      },
    ],
  ],
  [
    'a block of a zone that is not there',
    zones,
    [...found, [2 * orderCount, 1] as const],
    [{ zone: undefined, reason: '1 free blocks in the memmap belong to no zone' }],
  ],
  [
    'differences in two zones and outside them',
    [moreIn0, morePagesIn1],
    [...found, [2 * orderCount, 4] as const],
    [
      {
        zone: moreIn0,
        reason: 'zone 1 of node 0 counts 4 free blocks of order 0, the memmap shows 3',
      },
      {
        zone: morePagesIn1,
        reason: 'zone 2 of node 1 counts 11 free pages, the memmap shows 10',
      },
      { zone: undefined, reason: '4 free blocks in the memmap belong to no zone' },
    ],
  ],
])('%s: each zone that it concerns is named, and no other', (_, changedZones, counts, expected) => {
  expect(check(changedZones, counts)).toEqual(expected);
});
