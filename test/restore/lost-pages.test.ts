// Lost pages are named exactly: those of the lost frames, each with its label and reason, in runs that cannot be longer.

import fc from 'fast-check';
import { lostPageCount, lostRuns, type LossReason } from '../../src/restore/lost-pages.js';
import { randomSpace } from './random-space.js';

const losses = fc.func(fc.constantFrom<LossReason | undefined>('lost', 'corrupt', undefined));

test('runs name every page of the lost frames once, and no other', () => {
  fc.assert(
    fc.property(randomSpace, losses, ({ space, labels, frameOfPage }, lossOf) => {
      const lostFrames = new Map<number, LossReason>();
      // Readers finish in any order.
      for (let frame = space.frames.window.length - 1; frame >= 0; frame--) {
        const reason = lossOf(frame);
        if (reason !== undefined) lostFrames.set(frame, reason);
      }
      const expected = frameOfPage.flatMap((frame, page) => {
        const reason = frame === undefined ? undefined : lostFrames.get(frame);
        return reason === undefined ? [] : [{ page, label: labels[page], reason }];
      });
      const runs = lostRuns(space, lostFrames);
      const found = runs.flatMap(({ firstPage, pageCount, label, reason }) =>
        Array.from({ length: pageCount }, (_, index) => ({
          page: firstPage + index,
          label,
          reason,
        })),
      );
      expect(found).toEqual(expected);
      expect(lostPageCount(runs)).toBe(expected.length);
      for (const [index, run] of runs.slice(1).entries()) {
        const before = runs[index];
        const isContinued =
          before.firstPage + before.pageCount === run.firstPage &&
          before.label === run.label &&
          before.reason === run.reason;
        expect(isContinued).toBe(false);
      }
    }),
  );
});

test('nothing lost is no run', () => {
  fc.assert(
    fc.property(randomSpace, ({ space }) => {
      expect(lostRuns(space, new Map())).toEqual([]);
    }),
  );
});
