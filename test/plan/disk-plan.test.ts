// Which windows of a disk are stored, held against a model that asks for every page.

import fc from 'fast-check';
import { labelNumbers } from '../../introspect/page-class.js';
import { planDisk, plannedDiskBytes } from '../../src/plan/disk-plan.js';

const pageBytes = 4096;
const windowBytes = 64 * pageBytes;

/** Data and holes by turns, in bytes. */
const layouts = fc.record({
  stretches: fc.array(
    fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 3_000_000 })),
    { minLength: 1, maxLength: 12 },
  ),
  isDataFirst: fc.boolean(),
});

test('every byte of data is stored, and of every window without data nothing', () => {
  fc.assert(
    fc.property(layouts, ({ stretches, isDataFirst }) => {
      let end = 0;
      const runs = stretches.map((sizeBytes, index) => {
        const startOffset = end;
        end += sizeBytes;
        return { startOffset, endOffset: end, isData: (index % 2 === 0) === isDataFirst };
      });
      const sizeBytes = end;
      const asked: number[] = [];
      const plan = planDisk(sizeBytes, 3, (offset) => {
        asked.push(offset);
        const run = runs.find(({ endOffset, isData }) => isData && endOffset > offset);
        return run === undefined
          ? undefined
          : { startOffset: Math.max(offset, run.startOffset), endOffset: run.endOffset };
      });

      const pageCount = Math.ceil(sizeBytes / pageBytes);
      const expected = Array.from({ length: pageCount }, (_, page) => {
        const start = Math.floor((page * pageBytes) / windowBytes) * windowBytes;
        const hasData = runs.some(
          ({ startOffset, endOffset, isData }) =>
            isData && startOffset < start + windowBytes && endOffset > start,
        );
        return hasData ? 3 : 0;
      });
      const found = [...plan.firstPage.keys()].flatMap((run) =>
        Array<number>(plan.runPageCount[run]).fill(plan.replication[run]),
      );
      expect(found).toEqual(expected);
      expect(plan.pageCount).toBe(pageCount);
      expect(new Set(plan.label)).toEqual(new Set([labelNumbers.disk]));
      // No run is empty, and neighbours differ.
      expect(plan.runPageCount.every((count) => count > 0)).toBe(true);
      expect(plan.replication.every((copies, run) => copies !== plan.replication[run - 1])).toBe(
        true,
      );
      expect(plannedDiskBytes(plan)).toBe(expected.filter((copies) => copies > 0).length * 4096);
      expect(asked.every((offset) => offset % windowBytes === 0)).toBe(true);
    }),
  );
});

test('a disk of holes alone is one run of which nothing is stored', () => {
  const plan = planDisk(10 ** 11, 3, () => undefined);
  expect([...plan.runPageCount]).toEqual([Math.ceil(10 ** 11 / pageBytes)]);
  expect([...plan.replication]).toEqual([0]);
});
