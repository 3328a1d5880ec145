// Bytes on disk by formula, held against a model that writes a file cell by cell. What HDFS itself says of the same is in
// hdfs-agreement.test.ts.

import fc from 'fast-check';
import { blockCountOf, storedBytes } from '../../../src/report/model/redundancy.js';
import type { Redundancy } from '../../../src/report/model/report.js';

const mebibyte = 2 ** 20;

const coded = (dataUnits: number, parityUnits: number) =>
  ({ kind: 'erasure-coding', dataUnits, parityUnits }) as const;
const replicated = (copies: number) => ({ kind: 'replication', copies }) as const;

const anyCoding = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 4 }))
  .map(([dataUnits, parityUnits]) => coded(dataUnits, parityUnits));
const anyRedundancy: fc.Arbitrary<Redundancy> = fc.oneof(
  fc.integer({ min: 1, max: 10 }).map(replicated),
  anyCoding,
);
const anySize = fc.oneof(
  fc.integer({ min: 0, max: 40 * mebibyte }),
  fc.integer({ min: 0, max: 40 }).map((mebibytes) => mebibytes * mebibyte),
);

/** Cells are dealt to the units of data in turn; then each unit of parity is as long as the longest cell of its stripe. */
function cellByCell(sizeBytes: number, dataUnits: number, parityUnits: number): number {
  let total = 0;
  let left = sizeBytes;
  while (left > 0) {
    let longest = 0;
    for (let unit = 0; unit < dataUnits && left > 0; unit++) {
      const cell = Math.min(left, mebibyte);
      longest = Math.max(longest, cell);
      total += cell;
      left -= cell;
    }
    total += parityUnits * longest;
  }
  return total;
}

const oneFile = (redundancy: Redundancy, sizeBytes: number) =>
  storedBytes({ redundancy, sizeBytes, fileCount: 1 });

test('a coded file takes what its cells and their parity take', () => {
  fc.assert(
    fc.property(anyCoding, anySize, (redundancy, sizeBytes) => {
      const { dataUnits, parityUnits } = redundancy;
      expect(oneFile(redundancy, sizeBytes)).toBe(cellByCell(sizeBytes, dataUnits, parityUnits));
    }),
  );
});

test('parity costs p / d of whole stripes, and up to p times what does not fill one', () => {
  expect(oneFile(coded(6, 3), 6 * mebibyte)).toBe(9 * mebibyte);
  expect(oneFile(coded(3, 2), 3 * mebibyte)).toBe(5 * mebibyte);
  expect(oneFile(coded(6, 3), 1)).toBe(4);
  expect(oneFile(coded(6, 3), mebibyte + 1)).toBe(mebibyte + 1 + 3 * mebibyte);
  expect(oneFile(coded(6, 3), 6 * mebibyte + 10)).toBe(9 * mebibyte + 10 + 3 * 10);
});

test('copies take their size each', () => {
  expect(storedBytes({ redundancy: replicated(3), sizeBytes: 1001, fileCount: 7 })).toBe(3003);
  expect(storedBytes({ redundancy: replicated(1), sizeBytes: 0, fileCount: 0 })).toBe(0);
});

test('several files take what one of an even share takes, as often', () => {
  fc.assert(
    fc.property(
      anyRedundancy,
      anySize,
      fc.integer({ min: 1, max: 50 }),
      (redundancy, sizeBytes, fileCount) => {
        expect(storedBytes({ redundancy, sizeBytes: sizeBytes * fileCount, fileCount })).toBe(
          fileCount * oneFile(redundancy, sizeBytes),
        );
      },
    ),
  );
  expect(storedBytes({ redundancy: coded(6, 3), sizeBytes: 0, fileCount: 0 })).toBe(0);
});

test('no redundancy takes less than the bytes, nor more than a copy of them for each unit more', () => {
  fc.assert(
    fc.property(anyRedundancy, anySize, (redundancy, sizeBytes) => {
      const moreUnits =
        redundancy.kind === 'replication' ? redundancy.copies - 1 : redundancy.parityUnits;
      const stored = oneFile(redundancy, sizeBytes);
      expect(stored).toBeGreaterThanOrEqual(sizeBytes);
      expect(stored).toBeLessThanOrEqual(sizeBytes * (1 + moreUnits));
    }),
  );
});

test('blocks hold the file with none to spare, and a group holds as much as the blocks of its data', () => {
  fc.assert(
    fc.property(
      anyRedundancy,
      anySize,
      fc.integer({ min: 1, max: 16 }),
      (redundancy, sizeBytes, blockMebibytes) => {
        const blockSizeBytes = blockMebibytes * mebibyte;
        const count = blockCountOf(sizeBytes, blockSizeBytes, redundancy);
        const room =
          blockSizeBytes * (redundancy.kind === 'replication' ? 1 : redundancy.dataUnits);
        expect(count * room).toBeGreaterThanOrEqual(sizeBytes);
        expect((count - 1) * room).toBeLessThan(Math.max(1, sizeBytes));
      },
    ),
  );
  expect(blockCountOf(0, mebibyte, replicated(3))).toBe(0);
  expect(blockCountOf(129 * mebibyte, 128 * mebibyte, replicated(3))).toBe(2);
  expect(blockCountOf(129 * mebibyte, 128 * mebibyte, coded(6, 3))).toBe(1);
});
