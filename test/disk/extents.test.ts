import * as fc from 'fast-check';
import { Extents } from '../../src/disk/extents.js';

const page = 4096;

test('a page is found in the run that it lies in, and not in a hole', () => {
  const extents = new Extents();
  extents.add(0, 100 * page, 2 * page);
  extents.add(5 * page, 50 * page, page);
  const found = [0, 1, 2, 4, 5, 6].map((index) => extents.find(index * page, page));
  expect(found).toEqual([100 * page, 101 * page, undefined, undefined, 50 * page, undefined]);
});

test('a page that lies in pieces on the volume has no place, and one over two neighbouring runs has', () => {
  const extents = new Extents();
  extents.add(0, 10_240, 1024);
  extents.add(1024, 11_264, 3072);
  extents.add(4096, 20_480, 2048);
  extents.add(6144, 40_960, 2048);
  expect(extents.find(0, page)).toBe(10_240);
  expect(extents.find(page, page)).toBeUndefined();
});

test.each([
  ['before the last one', 0, 0, page],
  ['over the end of the last one', 3 * page, 0, page],
  ['of no bytes', 9 * page, 0, 0],
  ['of less than none', 9 * page, 0, -page],
  ['before the volume', 9 * page, -page, page],
  ['at a place that is no number', Number.NaN, 0, page],
  ['of endless length', 9 * page, 0, Infinity],
  ['beyond what a number holds', Number.MAX_SAFE_INTEGER, 0, page],
])('a run %s is refused', (_, fileOffset, volumeOffset, size) => {
  const extents = new Extents();
  extents.add(page, 7 * page, 3 * page);
  expect(extents.add(fileOffset, volumeOffset, size)).toBe(false);
  expect(extents.find(page, page)).toBe(7 * page);
});

test('every page of any runs is found where the run that holds it says', () => {
  const run = fc.record({
    gap: fc.nat(3),
    at: fc.nat(1000),
    count: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(run), (runs) => {
      const extents = new Extents();
      const expected = new Map<number, number>();
      let next = 0;
      for (const { gap, at, count } of runs) {
        next += gap;
        extents.add(next * page, at * page, count * page);
        for (let index = 0; index < count; index++) {
          expected.set(next + index, (at + index) * page);
        }
        next += count;
      }
      for (let index = 0; index < next + 2; index++) {
        expect(extents.find(index * page, page)).toBe(expected.get(index));
      }
    }),
  );
});
