// Bytes written by version 1, kept for ever: a program that cannot read this file cannot read old snapshots.
// The first frame is raw, so its bytes must also be written the same; how LZ4 packs the second is the packer's affair.
import { readFileSync } from 'node:fs';
import { decodePackHeader, decodePages } from '../../src/pack/decode.js';
import { encodeFrames, encodePackHeader } from '../../src/pack/encode.js';
import { packHeaderSizeBytes } from '../../src/pack/layout.js';
import { noisePage, requestsOf, samplePage } from './sample-pages.js';

const golden = new Uint8Array(readFileSync(new URL('../fixtures/pack-v1.bin', import.meta.url)));
const rawFrameSizeBytes = 32 + 4096;
const rawOutline = { window: 0x01020304, maskLow: 0x80, maskHigh: 0 };
const lz4Outline = { window: 0x01020305, maskLow: 1, maskHigh: 0x80000000 };

test('a version 1 pack is read', () => {
  expect(decodePackHeader(golden)).toEqual({ replication: 3, space: 7 });
  const lz4At = packHeaderSizeBytes + rawFrameSizeBytes;
  const pages = decodePages({
    pack: 'pack-v1',
    space: 7,
    startBytes: 0,
    bytes: golden,
    frames: {
      ...requestsOf([rawOutline, lz4Outline]),
      offset: Uint32Array.of(packHeaderSizeBytes, lz4At),
      length: Uint32Array.of(rawFrameSizeBytes, golden.length - lz4At),
    },
  });
  const expected = [noisePage(1), samplePage('repeat', 0x11), samplePage('repeat', 0x22)];
  expect(Buffer.from(pages).equals(Buffer.concat(expected))).toBe(true);
});

test('the pack header and a raw frame are written as version 1 wrote them', () => {
  const header = encodePackHeader({ replication: 3, space: 7 });
  const { bytes } = encodeFrames({
    space: 7,
    frames: requestsOf([rawOutline]),
    bytes: noisePage(1),
  });
  const written = Buffer.concat([header, bytes]);
  expect(written.equals(golden.subarray(0, written.length))).toBe(true);
});

/** The LZ4 block format from its description, so that the fixture does not rest on one library alone. */
function unpackLz4Block(block: Uint8Array): number[] {
  const out: number[] = [];
  let at = 0;
  const lengthFrom = (nibble: number) => {
    let length = nibble;
    for (let more = nibble === 15; more;) {
      const byte = block[at++];
      length += byte;
      more = byte === 255;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++];
    const literalEnd = lengthFrom(token >> 4) + at;
    while (at < literalEnd) out.push(block[at++]);
    if (at >= block.length) break; // the last sequence is literals only
    const distance = block[at++] | (block[at++] << 8);
    const matchLength = lengthFrom(token & 15) + 4;
    for (let index = 0; index < matchLength; index++) out.push(out[out.length - distance]);
  }
  return out;
}

test('the payload of codec 1 is a plain LZ4 block', () => {
  const payload = golden.subarray(packHeaderSizeBytes + rawFrameSizeBytes + 32);
  const expected = [samplePage('repeat', 0x11), samplePage('repeat', 0x22)];
  expect(Buffer.from(unpackLz4Block(payload)).equals(Buffer.concat(expected))).toBe(true);
});

test('the first bytes are those that FORMAT.md shows', () => {
  const hex = (start: number, end: number) =>
    Buffer.from(golden.subarray(start, end)).toString('hex');
  expect(hex(0, 12)).toBe('504152535041434b01000307'); // PARSPACK, 1, 3, 7
  expect(hex(32, 36)).toBe('5046524d'); // PFRM
  expect(hex(40, 64)).toBe('040302010000070080000000000000000010000000100000');
});
