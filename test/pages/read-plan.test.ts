// Reads: every wanted frame once, whole, from its own pack, forwards, and few of them.

import fc from 'fast-check';
import { pickFrames } from '../../src/manifest/used-frames.js';
import { planReads, readSizeBytes } from '../../src/pages/read-plan.js';

interface PackedFrame {
  readonly pack: number;
  readonly length: number;
  /** Bytes between this frame and the one before it, as when another snapshot wrote what lies there. */
  readonly gap: number;
  /** Undefined for a frame that nobody wants, else when it is asked for. */
  readonly turn: number | undefined;
}

const packedFrames = fc.array(
  fc.record<PackedFrame>({
    pack: fc.nat({ max: 1 }),
    length: fc.integer({ min: 33, max: 262_176 }),
    gap: fc.oneof({ weight: 40, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 10_000 })),
    turn: fc.oneof({ weight: 20, arbitrary: fc.nat() }, fc.constant(undefined)),
  }),
  // Enough for several requests' worth: fast-check would keep to a dozen.
  { maxLength: 120, size: 'max' },
);

function columnsOf(frames: readonly PackedFrame[]) {
  const end = [32, 32];
  const offsets = frames.map(({ pack, length, gap }) => {
    const offset = end[pack] + gap;
    end[pack] = offset + length;
    return offset;
  });
  return {
    identity: Uint32Array.from(frames, (_, index) => index + 1),
    pageCount: Uint8Array.from(frames, (_, index) => (index % 64) + 1),
    offset: Uint32Array.from(offsets),
    length: Uint32Array.from(frames, ({ length }) => length),
    pack: Uint32Array.from(frames, ({ pack }) => pack),
  };
}

/** Indices of the frames that are wanted, in any order. */
function wantedOf(frames: readonly PackedFrame[]): Uint32Array {
  const wanted = frames.flatMap(({ turn }, index) => (turn === undefined ? [] : [{ turn, index }]));
  return Uint32Array.from(
    wanted.sort((a, b) => a.turn - b.turn),
    ({ index }) => index,
  );
}

test('every wanted frame is read once, by a piece of its pack that begins and ends with frames', () => {
  fc.assert(
    fc.property(packedFrames, (frames) => {
      const columns = columnsOf(frames);
      const wanted = wantedOf(frames);
      const pieces = planReads(columns, wanted);
      const read = pieces.flatMap(({ frameIndices }) => [...frameIndices]);
      expect(read.toSorted((a, b) => a - b)).toEqual([...wanted.toSorted()]);
      for (const { pack, startBytes, sizeBytes, frameIndices } of pieces) {
        let at = startBytes;
        for (const frame of frameIndices) {
          expect(columns.pack[frame]).toBe(pack);
          // Back to back: no byte is read that nobody wants.
          expect(columns.offset[frame]).toBe(at);
          at += columns.length[frame];
        }
        expect(at).toBe(startBytes + sizeBytes);
        expect(sizeBytes <= readSizeBytes || frameIndices.length === 1).toBe(true);
      }
    }),
  );
});

test('pieces go by pack and forwards, and are not cut without a reason', () => {
  fc.assert(
    fc.property(packedFrames, (frames) => {
      const columns = columnsOf(frames);
      const pieces = planReads(columns, wantedOf(frames));
      for (const [index, piece] of pieces.slice(1).entries()) {
        const before = pieces[index];
        const endBytes = before.startBytes + before.sizeBytes;
        if (before.pack !== piece.pack) {
          expect(piece.pack).toBeGreaterThan(before.pack);
          continue;
        }
        expect(piece.startBytes).toBeGreaterThanOrEqual(endBytes);
        const withNext = before.sizeBytes + columns.length[piece.frameIndices[0]];
        expect(piece.startBytes > endBytes || withNext > readSizeBytes).toBe(true);
      }
    }),
  );
});

test("a piece's own columns are those of its frames", () => {
  const columns = columnsOf([
    { pack: 1, length: 100, gap: 0, turn: 0 },
    { pack: 0, length: 200, gap: 0, turn: 1 },
    { pack: 1, length: 300, gap: 0, turn: 2 },
  ]);
  const [, piece] = planReads(columns, Uint32Array.of(0, 1, 2));
  expect(pickFrames(columns, piece.frameIndices)).toEqual({
    identity: Uint32Array.of(1, 3),
    pageCount: Uint8Array.of(1, 3),
    offset: Uint32Array.of(32, 132),
    length: Uint32Array.of(100, 300),
  });
});
