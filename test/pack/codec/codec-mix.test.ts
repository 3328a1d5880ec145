// The mix of codecs that takes the least time: no other mix of any of them is faster.
import * as fc from 'fast-check';
import {
  bestMix,
  type CodecMix,
  type CodecRate,
  packSecondsOf,
  storedBytesOf,
} from '../../../src/pack/codec/codec-mix.js';

const positive = fc.double({ min: 0.01, max: 100, noNaN: true });
const rates = fc.array(
  fc.record({ packSeconds: positive, storedBytes: positive }) satisfies fc.Arbitrary<CodecRate>,
  { minLength: 1, maxLength: 6 },
);

test('no share of the runs for each codec takes less time', () => {
  fc.assert(
    fc.property(
      rates,
      positive,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 }),
      (codecs, storeSeconds, weights) => {
        const mix = bestMix(codecs, storeSeconds);
        const seconds = Math.max(
          packSecondsOf(mix, codecs),
          storedBytesOf(mix, codecs) * storeSeconds,
        );
        const total = codecs.reduce((sum, _, index) => sum + weights[index], 0);
        fc.pre(total > 0.01);
        const shared = (of: (rate: CodecRate) => number) =>
          codecs.reduce((sum, rate, index) => sum + (of(rate) * weights[index]) / total, 0);
        const other = Math.max(
          shared(({ packSeconds }) => packSeconds),
          shared(({ storedBytes }) => storedBytes) * storeSeconds,
        );
        expect(seconds).toBeLessThanOrEqual(other * (1 + 1e-6));
        expect(mix.secondFraction).toBeGreaterThanOrEqual(0);
        expect(mix.secondFraction).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 500 },
  );
});

test('where it packs longer than it sends it is the fastest, where it sends longer the smallest', () => {
  const codecs = [
    { packSeconds: 1, storedBytes: 4 },
    { packSeconds: 2, storedBytes: 3 },
    { packSeconds: 6, storedBytes: 2 },
  ];
  expect(bestMix(codecs, 0)).toMatchObject({ first: 0, second: 0 });
  expect(bestMix(codecs, 0.2)).toMatchObject({ first: 0, second: 0 });
  expect(bestMix(codecs, 10)).toMatchObject({ first: 2, second: 2 });
  // Both take 1.5 of the time: half of the runs each.
  expect(bestMix(codecs, 3 / 7)).toEqual({
    first: 0,
    second: 1,
    secondFraction: expect.closeTo(0.5, 9) as number,
  });
});

test('of two that take the same time it is the one that stores less', () => {
  const codecs = [
    { packSeconds: 3, storedBytes: 4 },
    { packSeconds: 3, storedBytes: 1 },
    { packSeconds: 3, storedBytes: 2 },
  ];
  expect(bestMix(codecs, 0)).toEqual({ first: 1, second: 1, secondFraction: 0 });
});

test('where the processors are what is short, it is whatever takes least of them', () => {
  const codecs = [
    { packSeconds: 1, storedBytes: 4 },
    { packSeconds: 2, storedBytes: 3 },
  ];
  // By the store alone: half of the runs each.
  expect(bestMix(codecs, 3 / 7).secondFraction).toBeCloseTo(0.5, 9);
  // Sending takes little of them, and there are as many as threads: packing is all there is to do.
  const free = { packingShare: 1, secondsPerStoredByte: 0 };
  expect(bestMix(codecs, 3 / 7, free).secondFraction).toBeCloseTo(0.5, 9);
  // A stored byte takes more of them than of the store: what is saved by storing less is less than what it takes to pack.
  const full = { packingShare: 1, secondsPerStoredByte: 0.5 };
  expect(bestMix(codecs, 3 / 7, full)).toEqual({ first: 0, second: 0, secondFraction: 0 });
  // And more than it takes to pack.
  const sending = { packingShare: 1, secondsPerStoredByte: 2 };
  expect(bestMix(codecs, 3 / 7, sending)).toMatchObject({ first: 1, second: 1 });
});

test('with processors that are short, no mix of two takes less time', () => {
  fc.assert(
    fc.property(
      rates,
      positive,
      fc.record({
        packingShare: fc.double({ min: 0, max: 1, noNaN: true }),
        secondsPerStoredByte: positive,
      }),
      fc.tuple(fc.nat(5), fc.nat(5), fc.double({ min: 0, max: 1, noNaN: true })),
      (codecs, storeSeconds, load, [first, second, secondFraction]) => {
        const secondsOf = (mix: CodecMix): number => {
          const packSeconds = packSecondsOf(mix, codecs);
          const storedBytes = storedBytesOf(mix, codecs);
          return Math.max(
            packSeconds,
            storedBytes * storeSeconds,
            packSeconds * load.packingShare + storedBytes * load.secondsPerStoredByte,
          );
        };
        const other = {
          first: first % codecs.length,
          second: second % codecs.length,
          secondFraction,
        };
        const best = bestMix(codecs, storeSeconds, load);
        expect(secondsOf(best)).toBeLessThanOrEqual(secondsOf(other) * (1 + 1e-6));
      },
    ),
    { numRuns: 500 },
  );
});
