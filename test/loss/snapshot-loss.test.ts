// What a snapshot loses, page by page and as sums: held against each other, and against a look at every page.

import fc from 'fast-check';
import type { LossReason, LostPacks } from '../../src/loss/loss-reason.js';
import { lostByLabel, withMorePacksLost } from '../../src/loss/lost-by-label.js';
import { framesOfPacks, lostPageCount, type LostRun } from '../../src/loss/lost-pages.js';
import { countPages, sumPages } from '../../src/loss/pages-by-label.js';
import { restoreLoss, storedLoss } from '../../src/loss/snapshot-loss.js';
import { diskBeside, packCount, randomSpace } from '../manifest/random-space.js';

const notStoredLabel = 3;
const diskLabel = 4;
const labelCount = 5;
const diskPack = packCount - 1;

/** RAM of which nothing of one label is stored, and a disk. */
const snapshots = fc
  .record({
    // Labels of pages that lie in no frame are what a policy may have left out.
    random: randomSpace.filter(({ labels, frameOfPage }) =>
      labels.every((label, page) => label !== notStoredLabel || frameOfPage[page] === undefined),
    ),
    diskPageCount: fc.integer({ min: 1, max: 200 }),
    lost: fc.uniqueArray(fc.nat({ max: packCount - 1 })),
    lostLater: fc.uniqueArray(fc.nat({ max: packCount - 1 })),
  })
  .map(({ random, diskPageCount, lost, lostLater }) => {
    const { disk, frames, frameOfPage } = diskBeside(
      random.frames,
      diskPack,
      diskPageCount,
      diskLabel,
    );
    const ram = { ...random.space, notStored: [notStoredLabel] };
    return {
      ...{ random, ram, disk, frames, lost },
      framesOfDisk: frameOfPage,
      lostLater: lostLater.filter((pack) => !lost.includes(pack)),
    };
  });

function lossWith(packs: readonly number[], frames: { readonly pack: Uint32Array }) {
  const lostPacks: LostPacks = new Map(packs.map((pack) => [pack, 'lost']));
  return framesOfPacks(frames, lostPacks);
}

const pagesOf = (runs: readonly LostRun[]): readonly (readonly [number, LossReason])[] =>
  runs.flatMap(({ firstPage, pageCount, reason }) =>
    Array.from({ length: pageCount }, (_, index) => [firstPage + index, reason] as const),
  );

test('a restore lacks the pages of lost frames and those that were not stored', () => {
  fc.assert(
    fc.property(snapshots, ({ random, ram, disk, frames, framesOfDisk, lost }) => {
      const isLost = (frame: number | undefined): boolean =>
        frame !== undefined && lost.includes(frames.pack[frame]);
      const expected = random.labels.flatMap((label, page): (readonly [number, LossReason])[] =>
        label === notStoredLabel
          ? [[page, 'not-stored']]
          : isLost(random.frameOfPage[page])
            ? [[page, 'lost']]
            : [],
      );
      const lostFrames = lossWith(lost, frames);
      const found = restoreLoss([ram, disk], lostFrames);
      expect(pagesOf(found.lost)).toEqual(expected);
      const onDisk = framesOfDisk.flatMap((frame, page) => (isLost(frame) ? [[page, 'lost']] : []));
      expect(found.lostOnDisks.map(({ name }) => name)).toEqual(onDisk.length === 0 ? [] : ['vda']);
      expect(found.lostOnDisks.flatMap((loss) => pagesOf(loss.lost))).toEqual(onDisk);

      const stored = storedLoss([ram, disk], lostFrames);
      expect(pagesOf(stored.lost)).toEqual(expected.filter(([, reason]) => reason === 'lost'));
      expect(stored.lostOnDisks).toEqual(found.lostOnDisks);
    }),
  );
});

test('without RAM, or without disks, only the other loses anything', () => {
  fc.assert(
    fc.property(snapshots, ({ ram, disk, frames, lost }) => {
      const lostFrames = lossWith(lost, frames);
      const both = restoreLoss([ram, disk], lostFrames);
      expect(restoreLoss([ram], lostFrames)).toEqual({ ...both, lostOnDisks: [] });
      expect(restoreLoss([disk], lostFrames)).toEqual({ ...both, lost: [] });
    }),
  );
});

test('sums by label are those of the pages that are named', () => {
  fc.assert(
    fc.property(snapshots, ({ ram, disk, frames, lost, lostLater }) => {
      const count = (isCounted: (frame: number) => boolean) =>
        sumPages(
          [ram, disk].map((space) => countPages(space, frames, packCount, labelCount, isCounted)),
        );
      const counted = { space: ram, pages: count(() => true), damagedPages: count(() => false) };
      const sumsOf = (packs: readonly number[]): readonly number[] => {
        const loss = restoreLoss([ram, disk], lossWith(packs, frames));
        const runs = [...loss.lost, ...loss.lostOnDisks.flatMap((onDisk) => onDisk.lost)];
        return Array.from({ length: labelCount }, (_, label) =>
          lostPageCount(runs.filter((run) => run.label === label)),
        );
      };
      const now = lostByLabel(counted, packCount, (pack) => lost.includes(pack));
      expect([...now]).toEqual(sumsOf(lost));
      const later = withMorePacksLost(now, counted, lostLater);
      expect([...later]).toEqual(sumsOf([...lost, ...lostLater]));
      expect([...now]).toEqual(sumsOf(lost));
    }),
  );
});
