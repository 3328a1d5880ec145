// Pages counted by pack and label, held against a look at every page.

import fc from 'fast-check';
import { countPages, packHolds } from '../../src/loss/pages-by-label.js';
import { packCount, randomSpace } from '../manifest/random-space.js';

/** How many labels random spaces have. */
const labelCount = 4;

test('the pages of each pack are counted by label, of the frames that are wanted', () => {
  fc.assert(
    fc.property(randomSpace, fc.func(fc.boolean()), (random, isCounted) => {
      const { space, frames, labels, frameOfPage } = random;
      const expected = new Uint32Array(packCount * labelCount);
      frameOfPage.forEach((frame, page) => {
        if (frame !== undefined && isCounted(frame)) {
          expected[frames.pack[frame] * labelCount + labels[page]]++;
        }
      });
      expect(countPages(space, frames, packCount, labelCount, isCounted)).toEqual({
        labelCount,
        counts: expected,
      });
    }),
  );
});

test('a pack holds pages of some labels if and only if one of them lies in it', () => {
  fc.assert(
    fc.property(randomSpace, fc.func(fc.boolean()), (random, isLabelOf) => {
      const { space, frames, labels, frameOfPage } = random;
      const pages = countPages(space, frames, packCount, labelCount);
      for (let pack = 0; pack < packCount; pack++) {
        const isHeld = frameOfPage.some(
          (frame, page) =>
            frame !== undefined && frames.pack[frame] === pack && isLabelOf(labels[page]),
        );
        expect(packHolds(pages, pack, (label) => isLabelOf(label))).toBe(isHeld);
      }
    }),
  );
});
