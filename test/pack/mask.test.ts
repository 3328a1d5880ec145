import * as fc from 'fast-check';
import { forEachRun, lowBits, maskHas, maskPageCount, maskRank } from '../../src/pack/mask.js';

const half = fc.nat(0xffffffff);

function bitsOf(low: number, high: number): number[] {
  const mask = (BigInt(high) << 32n) | BigInt(low);
  return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (mask >> BigInt(bit)) & 1n);
}

test('count, membership and rank agree with the mask as one 64-bit number', () => {
  fc.assert(
    fc.property(half, half, (low, high) => {
      const bits = bitsOf(low, high);
      expect(maskPageCount(low, high)).toBe(bits.length);
      for (let bit = 0; bit < 64; bit++) {
        expect(maskHas(low, high, bit)).toBe(bits.includes(bit));
        expect(maskRank(low, high, bit)).toBe(bits.filter((other) => other < bit).length);
      }
    }),
  );
});

test('the lowest bits are set from none to all 32', () => {
  expect([0, 1, 31, 32].map(lowBits)).toEqual([0, 1, 0x7fffffff, 0xffffffff]);
});

test('the runs of a mask are its set bits, as long as they can be, ascending', () => {
  fc.assert(
    fc.property(half, half, (low, high) => {
      const bits: number[] = [];
      let endOfLast = -1;
      forEachRun(low, high, (firstBit, bitCount) => {
        expect(bitCount).toBeGreaterThan(0);
        // Between two runs there is a bit that is not set.
        expect(firstBit).toBeGreaterThan(endOfLast);
        endOfLast = firstBit + bitCount;
        bits.push(...Array.from({ length: bitCount }, (_, index) => firstBit + index));
      });
      expect(bits).toEqual(bitsOf(low, high));
    }),
  );
});
