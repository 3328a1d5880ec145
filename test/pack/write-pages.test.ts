// Pages of frames into an image wherever the places say: some pages of a frame, in any window, more than once, or nowhere.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { PlaceColumns } from '../../src/pack/types.js';
import { writeStoredFrames } from '../../src/pack/write-pages.js';
import { framesOf } from './made-frames.js';
import { batchOf, samplePage } from './sample-pages.js';

const windowCount = 6;
/** Pages of each frame. */
const framePageCounts = [64, 5, 33];
const encoded = framesOf(
  batchOf(
    [
      { window: 0, maskLow: 0xffffffff, maskHigh: 0xffffffff },
      { window: 1, maskLow: 0b11111, maskHigh: 0 },
      { window: 2, maskLow: 0xffffffff, maskHigh: 1 },
    ],
    ['noise', 'repeat'],
  ),
);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-write-pages-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function pageOf(frame: number, slot: number): Uint8Array {
  const before = framePageCounts.slice(0, frame).reduce((sum, count) => sum + count, 0);
  const page = before + slot;
  return samplePage(page % 2 === 0 ? 'noise' : 'repeat', page + 1);
}

interface Place {
  readonly window: number;
  readonly bits: readonly number[];
  readonly frame: number;
  readonly slot: number;
}

/** One for each window at most, so that no two places are one. */
const places: fc.Arbitrary<readonly Place[]> = fc
  .array(
    fc.option(
      fc.nat({ max: framePageCounts.length - 1 }).chain((frame) =>
        fc.nat({ max: framePageCounts[frame] - 1 }).chain((slot) =>
          fc.record({
            frame: fc.constant(frame),
            slot: fc.constant(slot),
            bits: fc
              .uniqueArray(fc.nat({ max: 63 }), {
                minLength: 1,
                maxLength: framePageCounts[frame] - slot,
              })
              .map((bits) => bits.sort((a, b) => a - b)),
          }),
        ),
      ),
    ),
    { minLength: windowCount, maxLength: windowCount },
  )
  .map((drawn) =>
    drawn
      .flatMap((place, window) => (place === null ? [] : [{ ...place, window }]))
      .sort((a, b) => a.frame - b.frame),
  );

function columnsOf(list: readonly Place[]): PlaceColumns {
  const half = (bits: readonly number[], from: number): number =>
    bits
      .filter((bit) => bit >= from && bit < from + 32)
      .reduce((sum, bit) => sum + 2 ** (bit - from), 0);
  return {
    window: Uint32Array.from(list, ({ window }) => window),
    maskLow: Uint32Array.from(list, ({ bits }) => half(bits, 0)),
    maskHigh: Uint32Array.from(list, ({ bits }) => half(bits, 32)),
    frame: Uint32Array.from(list, ({ frame }) => frame),
    slot: Uint8Array.from(list, ({ slot }) => slot),
  };
}

test('every place gets its pages of its frame, and nothing else is written', () => {
  fc.assert(
    fc.property(places, (list) => {
      const path = join(folder, 'image');
      const fd = openSync(path, 'w+');
      const { frames, bytes } = encoded;
      const stored = { pack: 'packs/one', version: 2, startBytes: 0, frames, bytes } as const;
      const pageCount = writeStoredFrames(stored, columnsOf(list), fd);
      closeSync(fd);
      expect(pageCount).toBe(list.reduce((sum, { bits }) => sum + bits.length, 0));
      const expected = Buffer.alloc(windowCount * 64 * 4096);
      for (const { window, bits, frame, slot } of list) {
        for (const [index, bit] of bits.entries()) {
          expected.set(pageOf(frame, slot + index), (window * 64 + bit) * 4096);
        }
      }
      const image = readFileSync(path);
      expect(image.equals(expected.subarray(0, image.length))).toBe(true);
      expect(expected.subarray(image.length).every((byte) => byte === 0)).toBe(true);
    }),
    { numRuns: 100 },
  );
});
