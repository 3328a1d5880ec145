// Bytes on disk by formula, held against a model that writes a file cell by cell. What HDFS itself says of the same is in
// hdfs-agreement.test.ts.

import fc from 'fast-check';
import {
  blockCountOf,
  copies,
  copiesOrCode,
  copiesWorth,
  ecPolicyName,
  neededPlaceCount,
  parseErasureCode,
  placeCount,
  type Redundancy,
  redundancyInWords,
  redundancyOf,
  reedSolomon,
  storedBytes,
  survivedLossCount,
} from '../../src/store/redundancy.js';

const mebibyte = 2 ** 20;

const anyCoding = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 4 }))
  .map(([dataUnitCount, parityUnitCount]) => reedSolomon(dataUnitCount, parityUnitCount));
const anyRedundancy: fc.Arbitrary<Redundancy> = fc.oneof(
  fc.integer({ min: 1, max: 10 }).map(copies),
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

test('a coded file takes what its cells and their parity take', () => {
  fc.assert(
    fc.property(anyCoding, anySize, (redundancy, sizeBytes) => {
      const { dataUnitCount, parityUnitCount } = redundancy;
      expect(storedBytes(redundancy, sizeBytes)).toBe(
        cellByCell(sizeBytes, dataUnitCount, parityUnitCount),
      );
    }),
  );
});

test('parity costs p / d of whole stripes, and up to p times what does not fill one', () => {
  expect(storedBytes(reedSolomon(6, 3), 6 * mebibyte)).toBe(9 * mebibyte);
  expect(storedBytes(reedSolomon(3, 2), 3 * mebibyte)).toBe(5 * mebibyte);
  expect(storedBytes(reedSolomon(6, 3), 1)).toBe(4);
  expect(storedBytes(reedSolomon(6, 3), mebibyte + 1)).toBe(mebibyte + 1 + 3 * mebibyte);
  expect(storedBytes(reedSolomon(6, 3), 6 * mebibyte + 10)).toBe(9 * mebibyte + 10 + 3 * 10);
});

test('copies take their size each', () => {
  expect(storedBytes(copies(3), 1001, 7)).toBe(3003);
  expect(storedBytes(copies(1), 0, 0)).toBe(0);
});

test('several files take what one of an even share takes, as often', () => {
  fc.assert(
    fc.property(
      anyRedundancy,
      anySize,
      fc.integer({ min: 1, max: 50 }),
      (redundancy, sizeBytes, fileCount) => {
        expect(storedBytes(redundancy, sizeBytes * fileCount, fileCount)).toBe(
          fileCount * storedBytes(redundancy, sizeBytes),
        );
      },
    ),
  );
  expect(storedBytes(reedSolomon(6, 3), 0, 0)).toBe(0);
});

test('no redundancy takes less than the bytes, nor more than a copy of them for each unit more', () => {
  fc.assert(
    fc.property(anyRedundancy, anySize, (redundancy, sizeBytes) => {
      const moreUnits = survivedLossCount(redundancy);
      const stored = storedBytes(redundancy, sizeBytes);
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
        const count = blockCountOf(redundancy, sizeBytes, blockSizeBytes);
        const room = blockSizeBytes * neededPlaceCount(redundancy);
        expect(count * room).toBeGreaterThanOrEqual(sizeBytes);
        expect((count - 1) * room).toBeLessThan(Math.max(1, sizeBytes));
      },
    ),
  );
  expect(blockCountOf(copies(3), 0, mebibyte)).toBe(0);
  expect(blockCountOf(copies(3), 129 * mebibyte, 128 * mebibyte)).toBe(2);
  expect(blockCountOf(reedSolomon(6, 3), 129 * mebibyte, 128 * mebibyte)).toBe(1);
});

test('a block outlives the loss of all copies but one, or of as many units as there are of parity', () => {
  expect(survivedLossCount(copies(3))).toBe(2);
  expect(survivedLossCount(copies(1))).toBe(0);
  expect(survivedLossCount(reedSolomon(6, 3))).toBe(3);
  expect(placeCount(reedSolomon(6, 3))).toBe(9);
});

test('places that it never got count as lost', () => {
  expect(survivedLossCount(copies(3), 2)).toBe(1);
  expect(survivedLossCount(reedSolomon(6, 3), 5)).toBe(-1);
});

test('people read copies as copies, and a code by the name that HDFS has for it', () => {
  expect([copies(1), copies(3), reedSolomon(6, 3)].map(redundancyInWords)).toEqual([
    '1 copy',
    '3 copies',
    'RS-6-3',
  ]);
});

test.each([
  ['rs-6-3', 'RS-6-3-1024k'],
  ['RS-6-3', 'RS-6-3-1024k'],
  ['rs-3-2', 'RS-3-2-1024k'],
  ['rs-10-4', 'RS-10-4-1024k'],
  ['RS-LEGACY-6-3-1024k', 'RS-LEGACY-6-3-1024k'],
  ['xor-2-1', 'XOR-2-1-1024k'],
  ['rs-8-2-512k', 'RS-8-2-512k'],
])('%s is the policy that HDFS names %s', (text, name) => {
  const code = parseErasureCode(text);
  expect(code && ecPolicyName(code)).toBe(name);
  expect(parseErasureCode(name)).toEqual(code);
});

test.each([
  '',
  'rs',
  'rs-6',
  'rs-6-0',
  'rs-0-3',
  'rs-06-3',
  'rs-6-3-',
  'rs-6-3-0k',
  'rs-6-3-1024',
  'rs-250-6',
  'xor-2-2',
  'lrc-6-3',
  ' rs-6-3',
  'rs-6-3\n',
])('%j is no code', (text) => {
  expect(parseErasureCode(text)).toBeUndefined();
});

test('a code of the usual form is the one that its text is parsed to', () => {
  fc.assert(
    fc.property(anyCoding, (code) => {
      expect(parseErasureCode(redundancyInWords(code))).toEqual(code);
    }),
  );
});

test('a code is worth as many copies as survive the same losses, and is itself again from a list of files', () => {
  expect([copies(3), reedSolomon(6, 3), reedSolomon(3, 2)].map(copiesWorth)).toEqual([3, 4, 3]);
  fc.assert(
    fc.property(anyRedundancy, (redundancy) => {
      expect(redundancyOf(copiesOrCode(redundancy))).toEqual(redundancy);
    }),
  );
});
