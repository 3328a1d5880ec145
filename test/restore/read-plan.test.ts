// Reads: every frame once, whole, from its own pack, forwards, and few of them.

import fc from 'fast-check';
import { framesOfPiece, planReads, readSizeBytes } from '../../src/restore/read-plan.js';

interface PackedFrame {
  readonly pack: number;
  readonly length: number;
  /** Bytes between this frame and the one before it, as when another snapshot wrote what lies there. */
  readonly gap: number;
}

const packedFrames = fc.array(
  fc.record<PackedFrame>({
    pack: fc.nat({ max: 1 }),
    length: fc.integer({ min: 33, max: 262_176 }),
    gap: fc.oneof({ weight: 40, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 10_000 })),
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
    window: Uint32Array.from(frames, (_, index) => index),
    maskLow: Uint32Array.from(frames, (_, index) => index + 1),
    maskHigh: Uint32Array.from(frames, (_, index) => index + 2),
    offset: Uint32Array.from(offsets),
    length: Uint32Array.from(frames, ({ length }) => length),
    pack: Uint32Array.from(frames, ({ pack }) => pack),
  };
}

test('every frame is read once, by a piece of its pack that begins and ends with frames', () => {
  fc.assert(
    fc.property(packedFrames, (frames) => {
      const columns = columnsOf(frames);
      const pieces = planReads(columns);
      const read = pieces.flatMap(({ frameIndices }) => [...frameIndices]);
      expect(read.toSorted((a, b) => a - b)).toEqual(frames.map((_, index) => index));
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
      const pieces = planReads(columns);
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
    { pack: 1, length: 100, gap: 0 },
    { pack: 0, length: 200, gap: 0 },
    { pack: 1, length: 300, gap: 0 },
  ]);
  const [, piece] = planReads(columns);
  expect(framesOfPiece(columns, piece)).toEqual({
    window: Uint32Array.of(0, 2),
    maskLow: Uint32Array.of(1, 3),
    maskHigh: Uint32Array.of(2, 4),
    offset: Uint32Array.of(32, 132),
    length: Uint32Array.of(100, 300),
  });
});
