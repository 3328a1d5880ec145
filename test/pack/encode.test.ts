import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import type { FrameMethod } from '../../src/pack/codec/codec-choice.js';
import { decodeFrame, decodeFrameHeader, decodePackHeader } from '../../src/pack/decode.js';
import { encodeFrames, encodePackHeader } from '../../src/pack/encode.js';
import { frameHeaderSizeBytes, windowSizeBytes } from '../../src/pack/layout.js';
import { maskHas, maskPageCount } from '../../src/pack/mask.js';
import type { FrameRequests } from '../../src/pack/types.js';
import { pageBatches } from './arbitraries.js';
import { framesOf, pagesIn } from './made-frames.js';
import { batchOf, requestsOf } from './sample-pages.js';

/** Pages by their place in the address space, zero pages left out. */
function pagesByPlace(frames: FrameRequests, bytes: Uint8Array): Map<string, string> {
  const pages = new Map<string, string>();
  let at = 0;
  for (let frame = 0; frame < frames.window.length; frame++) {
    for (let bit = 0; bit < 64; bit++) {
      if (!maskHas(frames.maskLow[frame], frames.maskHigh[frame], bit)) {
        continue;
      }
      const page = bytes.subarray(at, at + 4096);
      at += 4096;
      if (page.some((byte) => byte !== 0)) {
        pages.set(`${frame}: ${frames.window[frame]}:${bit}`, Buffer.from(page).toString('base64'));
      }
    }
  }
  return new Map([...pages].map(([place, page]) => [place.replace(/^\d+: /, ''), page]));
}

test('every page that is not zero comes back at its place, and no other does', () => {
  fc.assert(
    fc.property(
      pageBatches.filter(({ frames }) => new Set(frames.window).size === frames.window.length),
      (batch) => {
        const before = new Uint8Array(batch.bytes);
        const { frames, held, bytes } = framesOf(batch);
        const pages = pagesIn({ pack: 'p', version: 2, startBytes: 0, frames, bytes });
        expect(pagesByPlace(held, pages)).toEqual(pagesByPlace(batch.frames, batch.bytes));
        expect(pages.length / 4096).toBe(pagesByPlace(held, pages).size);
        expect(Buffer.compare(batch.bytes, before)).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('frames lie back to back and the columns say where', () => {
  const batch = batchOf(
    [
      { window: 1, maskLow: 7, maskHigh: 0 },
      { window: 2, maskLow: 1, maskHigh: 1 },
    ],
    ['noise', 'repeat'],
  );
  const { frames, bytes } = framesOf(batch);
  expect(frames.offset[0]).toBe(0);
  expect(frames.offset[1]).toBe(frames.length[0]);
  expect(bytes.length).toBe(frames.offset[1] + frames.length[1]);
});

test('the columns say of each frame what its header and its mask do', () => {
  fc.assert(
    fc.property(pageBatches, (batch) => {
      const { frames, held, bytes } = framesOf(batch);
      for (const [frame, offset] of frames.offset.entries()) {
        const header = decodeFrameHeader(bytes, offset, 2);
        expect(frames.length[frame]).toBe(header.sizeBytes);
        expect(frames.identity[frame]).toBe(header.identity);
        expect(frames.pageCount[frame]).toBe(header.rawSizeBytes / 4096);
        expect(frames.pageCount[frame]).toBe(
          maskPageCount(held.maskLow[frame], held.maskHigh[frame]),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('the hashes are those of the pages in the frames, in their order', () => {
  fc.assert(
    fc.property(pageBatches, (batch) => {
      const { frames, bytes, hashes } = framesOf(batch);
      const pages = pagesIn({ pack: 'p', version: 2, startBytes: 0, frames, bytes });
      const expected = Array.from({ length: pages.length / 4096 }, (_, page) =>
        createHash('sha256')
          .update(pages.subarray(page * 4096, (page + 1) * 4096))
          .digest()
          .subarray(0, 16),
      );
      expect(Buffer.concat(expected).equals(hashes)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('zero pages leave the mask, and a frame of nothing else is not written', () => {
  const batch = batchOf(
    [
      { window: 5, maskLow: 0b111, maskHigh: 0x80000000 },
      { window: 6, maskLow: 0, maskHigh: 0 },
    ],
    ['zero', 'repeat', 'zero', 'noise'],
  );
  const { frames, held } = framesOf(batch);
  expect([...held.window]).toEqual([5]);
  expect([...held.maskLow]).toEqual([0b010]);
  expect([...held.maskHigh]).toEqual([0x80000000]);
  expect([...frames.pageCount]).toEqual([2]);

  const empty = framesOf(batchOf([{ window: 7, maskLow: 3, maskHigh: 0 }], ['zero']));
  expect(empty.bytes.length).toBe(0);
  expect(empty.held.window.length).toBe(0);
  expect(empty.frames.offset.length).toBe(0);
  expect(empty.hashes.length).toBe(0);
});

test('a page whose only byte that is not zero is its last is kept', () => {
  const bytes = new Uint8Array(2 * 4096);
  bytes[bytes.length - 1] = 1;
  const frames = requestsOf([{ window: 0, maskLow: 3, maskHigh: 0 }]);
  expect([...framesOf({ frames, bytes }).held.maskLow]).toEqual([2]);
});

test('noise is stored raw, so that a frame never grows beyond its header', () => {
  const batch = batchOf([{ window: 0, maskLow: 0xffffffff, maskHigh: 0xffffffff }], ['noise']);
  const { bytes } = framesOf(batch);
  expect(bytes.length).toBe(frameHeaderSizeBytes + windowSizeBytes);
  expect(decodeFrame(bytes, 0, 2).codec).toBe('raw');
});

test('what shrinks is stored as LZ4', () => {
  const { bytes } = framesOf(batchOf([{ window: 0, maskLow: 3, maskHigh: 0 }], ['repeat']));
  expect(decodeFrame(bytes, 0, 2).codec).toBe('lz4');
  expect(bytes.length).toBeLessThan(200);
});

test('a frame is what the best of its methods makes of it, and raw where there is none', () => {
  const batch = batchOf([{ window: 0, maskLow: 0xff, maskHigh: 0 }], ['repeat', 'noise']);
  const codecOf = (methods: readonly FrameMethod[]) => {
    const { bytes, frames, packing } = framesOf(batch, methods);
    const { codec, storedSizeBytes } = decodeFrameHeader(bytes, 0, 2);
    expect(packing.storedBytes).toBe(storedSizeBytes);
    const pages = pagesIn({ pack: 'p', version: 2, startBytes: 0, frames, bytes });
    expect(Buffer.from(pages).equals(batch.bytes)).toBe(true);
    return { codec, storedSizeBytes, ...packing };
  };
  const lz4 = codecOf(['lz4']);
  const zstd = codecOf(['zstd:1']);
  expect([lz4.codec, zstd.codec, codecOf([]).codec]).toEqual(['lz4', 'zstd', 'raw']);
  expect(zstd.storedSizeBytes).toBeLessThan(lz4.storedSizeBytes);
  expect(lz4).toMatchObject({ lz4Bytes: lz4.storedSizeBytes, zstdSeconds: 0 });
  expect(zstd).toMatchObject({ lz4Bytes: 0, zstdSeconds: expect.any(Number) as number });
  for (const methods of [
    ['lz4', 'zstd:1'],
    ['zstd:1', 'lz4'],
  ] as const) {
    const both = codecOf(methods);
    expect(both).toMatchObject({
      codec: 'zstd',
      storedBytes: zstd.storedSizeBytes,
      lz4Bytes: lz4.storedSizeBytes,
    });
    expect(both.zstdSeconds).toBeGreaterThan(0);
    expect(both.seconds).toBeGreaterThan(both.zstdSeconds);
  }
});

test('of lz4 and zstd together none is larger than by lz4', () => {
  fc.assert(
    fc.property(pageBatches, fc.integer({ min: 1, max: 9 }), (batch, level) => {
      const lz4 = framesOf(batch, ['lz4']);
      const lengths = [...lz4.frames.length];
      const both = framesOf(batch, ['lz4', `zstd:${level}`]);
      expect(both.held).toEqual(lz4.held);
      expect(both.hashes).toEqual(lz4.hashes);
      expect(lengths.every((length, frame) => both.frames.length[frame] <= length)).toBe(true);
      expect(both.packing.lz4Bytes).toBe(lz4.packing.storedBytes);
    }),
    { numRuns: 60 },
  );
});

test('frames that may not fit are refused before any is written', () => {
  const frames = requestsOf([{ window: 0, maskLow: 3, maskHigh: 0 }]);
  const read = () => {
    throw new Error('nothing is to be read');
  };
  expect(() => encodeFrames(frames, new Uint8Array(8211), read, ['lz4'])).toThrow(
    /its frames may take 8212 bytes, but there is room for 8211/,
  );
});

test('a pack header comes back, and names version 2', () => {
  expect(decodePackHeader(encodePackHeader())).toEqual({ version: 2 });
});
