import { UniquePages } from '../../src/measure/unique-pages.js';

/** Two independent xorshift32 streams: as even as a page's hash. */
function createHashes(seed: number): () => { readonly low: number; readonly high: number } {
  let first = seed;
  let second = seed ^ 0x5bd1e995;
  const step = (state: number): number => {
    let next = state ^ (state << 13);
    next ^= next >>> 17;
    return next ^ (next << 5);
  };
  return () => {
    first = step(first);
    second = step(second);
    return { low: first >>> 0, high: second >>> 0 };
  };
}

function countOf(unique: UniquePages, hashCount: number, repeats: number): UniquePages {
  for (let repeat = 0; repeat < repeats; repeat++) {
    const next = createHashes(0x1234567);
    for (let index = 0; index < hashCount; index++) {
      const { low, high } = next();
      unique.add(low, high);
    }
  }
  return unique;
}

test('nothing was added: there is no page', () => {
  expect(new UniquePages(16).count()).toEqual({ pageCount: 0, errorFraction: 0 });
});

test('as many as the table holds are counted exactly, however often they come', () => {
  expect(countOf(new UniquePages(1024), 1024, 3).count()).toEqual({
    pageCount: 1024,
    errorFraction: 0,
  });
});

test('hashes that differ in one half only are different', () => {
  const unique = new UniquePages(16);
  for (const [low, high] of [
    [5, 7],
    [5, 8],
    [6, 7],
    [5, 7],
    [0, 0],
    [0, 0],
    [0xffffffff, 0xffffffff],
  ]) {
    unique.add(low, high);
  }
  expect(unique.count().pageCount).toBe(5);
});

test('one more than the table holds is an estimate, and says so', () => {
  const { errorFraction } = countOf(new UniquePages(1024), 1025, 1).count();
  expect(errorFraction).toBeCloseTo(0.0375, 10);
});

test.each([3000, 100_000, 1_000_000])(
  'of %i different pages in a table of 2048 the count is within four standard errors, and the same when all come twice',
  (hashCount) => {
    const once = countOf(new UniquePages(2048), hashCount, 1).count();
    expect(Math.abs(once.pageCount / hashCount - 1)).toBeLessThan(4 * once.errorFraction);
    expect(countOf(new UniquePages(2048), hashCount, 2).count()).toEqual(once);
  },
);
