import * as fc from 'fast-check';
import { decodeFrame, decodePackHeader, decodePages } from '../../src/pack/decode.js';
import { encodeFrames, encodePackHeader } from '../../src/pack/encode.js';
import { frameHeaderSizeBytes, windowSizeBytes } from '../../src/pack/layout.js';
import { maskHas } from '../../src/pack/mask.js';
import type { FrameRequests } from '../../src/pack/types.js';
import { pageBatches } from './arbitraries.js';
import { batchOf, requestsOf } from './sample-pages.js';

/** Pages by their place in the address space, zero pages left out. */
function pagesByPlace(frames: FrameRequests, bytes: Uint8Array): Map<string, string> {
  const pages = new Map<string, string>();
  let at = 0;
  for (let frame = 0; frame < frames.window.length; frame++) {
    for (let bit = 0; bit < 64; bit++) {
      if (!maskHas(frames.maskLow[frame], frames.maskHigh[frame], bit)) continue;
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
        const { frames, bytes } = encodeFrames(batch);
        const pages = decodePages({ pack: 'p', space: 0, startBytes: 0, frames, bytes });
        expect(pagesByPlace(frames, pages)).toEqual(pagesByPlace(batch.frames, batch.bytes));
        expect(pages.length / 4096).toBe(pagesByPlace(frames, pages).size);
        expect(batch.bytes).toEqual(before);
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
  const { frames, bytes } = encodeFrames(batch);
  expect(frames.offset[0]).toBe(0);
  expect(frames.offset[1]).toBe(frames.length[0]);
  expect(bytes.length).toBe(frames.offset[1] + frames.length[1]);
  expect(bytes.buffer.byteLength).toBe(bytes.length);
});

test('zero pages leave the mask, and a frame of nothing else is not written', () => {
  const batch = batchOf(
    [
      { window: 5, maskLow: 0b111, maskHigh: 0x80000000 },
      { window: 6, maskLow: 0, maskHigh: 0 },
    ],
    ['zero', 'repeat', 'zero', 'noise'],
  );
  const { frames } = encodeFrames(batch);
  expect([...frames.window]).toEqual([5]);
  expect([...frames.maskLow]).toEqual([0b010]);
  expect([...frames.maskHigh]).toEqual([0x80000000]);

  const empty = encodeFrames(batchOf([{ window: 7, maskLow: 3, maskHigh: 0 }], ['zero']));
  expect(empty.bytes.length).toBe(0);
  expect(empty.frames.window.length).toBe(0);
});

test('a page whose only byte that is not zero is its last is kept', () => {
  const bytes = new Uint8Array(2 * 4096);
  bytes[bytes.length - 1] = 1;
  const frames = requestsOf([{ window: 0, maskLow: 3, maskHigh: 0 }]);
  expect([...encodeFrames({ space: 0, frames, bytes }).frames.maskLow]).toEqual([2]);
});

test('noise is stored raw, so that a frame never grows beyond its header', () => {
  const batch = batchOf([{ window: 0, maskLow: 0xffffffff, maskHigh: 0xffffffff }], ['noise']);
  const { bytes } = encodeFrames(batch);
  expect(bytes.length).toBe(frameHeaderSizeBytes + windowSizeBytes);
  expect(decodeFrame(bytes, 0).codec).toBe('raw');
});

test('what shrinks is stored as LZ4', () => {
  const { bytes } = encodeFrames(batchOf([{ window: 0, maskLow: 3, maskHigh: 0 }], ['repeat']));
  expect(decodeFrame(bytes, 0).codec).toBe('lz4');
  expect(bytes.length).toBeLessThan(200);
});

test('bytes that are not the pages of the masks are refused', () => {
  const frames = requestsOf([{ window: 0, maskLow: 3, maskHigh: 0 }]);
  expect(() => encodeFrames({ space: 0, frames, bytes: new Uint8Array(4096) })).toThrow(
    /the masks name 2 pages, so 8192 bytes were expected, but 4096 were given/,
  );
});

test('a pack header comes back, and one out of range is refused', () => {
  const header = { replication: 3, space: 200 };
  expect(decodePackHeader(encodePackHeader(header))).toEqual(header);
  expect(() => encodePackHeader({ replication: 0, space: 0 })).toThrow(/replication of 1 to 10/);
  expect(() => encodePackHeader({ replication: 3, space: 256 })).toThrow(/space of 0 to 255/);
});
