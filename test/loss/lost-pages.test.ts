// Lost pages are named exactly: those of the lost frames, each with its label and reason, in runs that cannot be longer.

import fc from 'fast-check';
import type { LossReason, LostPacks } from '../../src/loss/loss-reason.js';
import { framesOfPacks, lostPageCount, lostRuns } from '../../src/loss/lost-pages.js';
import { packCount, randomSpace } from '../manifest/random-space.js';

const losses = fc.func(fc.constantFrom<LossReason | undefined>('lost', 'corrupt', undefined));

test('runs name every page of the lost frames once, and no other', () => {
  fc.assert(
    fc.property(randomSpace, losses, ({ space, frames, labels, frameOfPage }, lossOf) => {
      const lostFrames = new Map<number, LossReason>();
      // Readers finish in any order.
      for (let frame = frames.pack.length - 1; frame >= 0; frame--) {
        const reason = lossOf(frame);
        if (reason !== undefined) {
          lostFrames.set(frame, reason);
        }
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

test('with packs all their frames are lost, for the reason of each, and no others', () => {
  const reasons = fc.array(fc.constantFrom('lost', 'unreachable', undefined), {
    minLength: packCount,
    maxLength: packCount,
  });
  fc.assert(
    fc.property(randomSpace, reasons, ({ frames }, reasonOf) => {
      const lostPacks: LostPacks = new Map(
        reasonOf.flatMap((reason, pack) => (reason === undefined ? [] : [[pack, reason]])),
      );
      const expected = Array.from(frames.pack, (pack, frame) => [frame, reasonOf[pack]]).filter(
        ([, reason]) => reason !== undefined,
      );
      expect([...framesOfPacks(frames, lostPacks)]).toEqual(expected);
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
