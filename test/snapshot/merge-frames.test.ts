// Frames of several packs become one table, and their pages places by window; nothing is lost, doubled or mixed up on the way.

import fc from 'fast-check';
import { type FramesOfPack, mergeFrames } from '../../src/snapshot/merge-frames.js';

interface Part {
  readonly pack: number;
  readonly space: number;
  readonly windows: readonly number[];
}

const spaceCount = 3;
const parts = fc.array(
  fc.record<Part>({
    pack: fc.nat({ max: 1000 }),
    space: fc.nat({ max: spaceCount - 1 }),
    windows: fc
      .uniqueArray(fc.nat({ max: 300 }), { maxLength: 40 })
      .map((list) => list.sort((a, b) => a - b)),
  }),
  { maxLength: 6 },
);

/** Values that tell where each came from. */
function writtenOf({ pack, space, windows }: Part, part: number): FramesOfPack {
  const column = (kind: number) =>
    Uint32Array.from(windows, (_, index) => part * 1_000_000 + index * 10 + kind);
  return {
    pack,
    space,
    frames: {
      offset: column(3),
      length: column(4),
      identity: column(5),
      pageCount: Uint8Array.from(windows, (_, index) => part * 40 + index),
    },
    held: { window: Uint32Array.from(windows), maskLow: column(1), maskHigh: column(2) },
  };
}

test('frames come in the order of the parts, each with its own values and its pack', () => {
  fc.assert(
    fc.property(parts, (list) => {
      const written = list.map(writtenOf);
      const { frames } = mergeFrames(written, spaceCount);
      const all = (
        column: (part: FramesOfPack, frame: number) => number | undefined,
      ): (number | undefined)[] =>
        written.flatMap((part) => Array.from(part.held.window, (_, frame) => column(part, frame)));
      expect([...frames.pack]).toEqual(all((part) => part.pack));
      for (const field of ['offset', 'length', 'identity', 'pageCount'] as const) {
        expect([...frames[field]]).toEqual(all((part, frame) => part.frames[field][frame]));
      }
    }),
  );
});

test('places of a space come by window, those of one window in the order of the parts, each with its own values and frame', () => {
  fc.assert(
    fc.property(parts, (list) => {
      const written = list.map(writtenOf);
      const { places } = mergeFrames(written, spaceCount);
      expect(places).toHaveLength(spaceCount);
      let firstFrame = 0;
      const rows = written.flatMap(({ space, held }) => {
        const { window, maskLow, maskHigh } = held;
        const own = Array.from(window, (value, at) => ({
          space,
          row: [value, maskLow[at], maskHigh[at], firstFrame + at, 0],
        }));
        firstFrame += own.length;
        return own;
      });
      for (const [index, { window, maskLow, maskHigh, frame, slot }] of places.entries()) {
        const expected = rows
          .filter(({ space }) => space === index)
          .map(({ row }) => row)
          .sort(([a], [b]) => a - b);
        expect(
          Array.from(window, (value, at) => [
            value,
            maskLow[at],
            maskHigh[at],
            frame[at],
            slot[at],
          ]),
        ).toEqual(expected);
      }
    }),
  );
});

test('the highest window that a manifest can name keeps its order', () => {
  const last = 2 ** 28 / 64 - 1;
  const one = (pack: number, window: number): FramesOfPack => ({
    pack,
    space: 0,
    frames: {
      offset: Uint32Array.of(32),
      length: Uint32Array.of(100),
      identity: Uint32Array.of(0),
      pageCount: Uint8Array.of(1),
    },
    held: {
      window: Uint32Array.of(window),
      maskLow: Uint32Array.of(1),
      maskHigh: Uint32Array.of(0),
    },
  });
  const merged = mergeFrames([one(0, last), one(1, last - 1), one(2, last)], 1);
  const [{ window, frame }] = merged.places;
  expect([...window]).toEqual([last - 1, last, last]);
  expect([...frame]).toEqual([1, 0, 2]);
  expect([...merged.frames.pack]).toEqual([0, 1, 2]);
});
