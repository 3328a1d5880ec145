// Frames of several packs become one set of columns by window; nothing is lost, doubled or mixed up on the way.

import fc from 'fast-check';
import { mergeFrames } from '../../src/snapshot/merge-frames.js';

interface Part {
  readonly pack: number;
  readonly windows: readonly number[];
}

const parts = fc.array(
  fc.record<Part>({
    pack: fc.nat({ max: 1000 }),
    windows: fc
      .uniqueArray(fc.nat({ max: 300 }), { maxLength: 40 })
      .map((list) => list.sort((a, b) => a - b)),
  }),
  { maxLength: 6 },
);

/** Values that tell where each came from. */
function columnsOf({ windows }: Part, part: number) {
  const column = (kind: number) =>
    Uint32Array.from(windows, (_, index) => part * 1_000_000 + index * 10 + kind);
  return {
    window: Uint32Array.from(windows),
    maskLow: column(1),
    maskHigh: column(2),
    offset: column(3),
    length: column(4),
  };
}

test('frames come by window, those of one window in the order of the parts, each with its own values', () => {
  fc.assert(
    fc.property(parts, (list) => {
      const merged = mergeFrames(
        list.map((part, index) => ({ pack: part.pack, columns: columnsOf(part, index) })),
      );
      const expected = list
        .flatMap((part, index) => {
          const { window, maskLow, maskHigh, offset, length } = columnsOf(part, index);
          return part.windows.map((_, at) => [
            window[at],
            maskLow[at],
            maskHigh[at],
            offset[at],
            length[at],
            part.pack,
          ]);
        })
        .sort(([a], [b]) => a - b);
      const { window, maskLow, maskHigh, offset, length, pack } = merged;
      expect(
        [...window].map((value, at) => [
          value,
          maskLow[at],
          maskHigh[at],
          offset[at],
          length[at],
          pack[at],
        ]),
      ).toEqual(expected);
    }),
  );
});

test('the highest window that a manifest can name keeps its order', () => {
  const last = 2 ** 28 / 64 - 1;
  const one = (window: number) => ({
    window: Uint32Array.of(window),
    maskLow: Uint32Array.of(1),
    maskHigh: Uint32Array.of(0),
    offset: Uint32Array.of(32),
    length: Uint32Array.of(100),
  });
  const merged = mergeFrames([
    { pack: 0, columns: one(last) },
    { pack: 1, columns: one(last - 1) },
    { pack: 2, columns: one(last) },
  ]);
  expect([...merged.window]).toEqual([last - 1, last, last]);
  expect([...merged.pack]).toEqual([1, 0, 2]);
});
