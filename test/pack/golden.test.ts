// Bytes written by versions 1 and 2, kept for ever: a program that cannot read these files cannot read old snapshots.
// The first frame of each is raw, so its bytes must also be written the same; how LZ4 packs the second is the packer's affair.
import { readFileSync } from 'node:fs';
import { zstdOfNode, zstdOfWebAssembly } from '../../src/pack/codec/zstd-library.js';
import { decodePackHeader } from '../../src/pack/decode.js';
import { encodePackHeader } from '../../src/pack/encode.js';
import { frameLayouts, packHeaderSizeBytes } from '../../src/pack/layout.js';
import type { FrameColumns, PackVersion } from '../../src/pack/types.js';
import { batchV1, namedInV1, packHeaderV1 } from './frames-v1.js';
import { framesOf, pagesIn } from './made-frames.js';
import { noisePage, requestsOf, samplePage } from './sample-pages.js';

const rawOutline = { window: 0x01020304, maskLow: 0x80, maskHigh: 0 };
const lz4Outline = { window: 0x01020305, maskLow: 1, maskHigh: 0x80000000 };
const spaceV1 = 7;

const golden = { 1: fixture('pack-v1.bin'), 2: fixture('pack-v2.bin') };
const rawPages = [noisePage(1)];
const lz4Pages = [samplePage('repeat', 0x11), samplePage('repeat', 0x22)];

/** What a manifest of the same version says of the frames. */
const named: Readonly<Record<PackVersion, Pick<FrameColumns, 'identity' | 'pageCount'>>> = {
  1: namedInV1(requestsOf([rawOutline, lz4Outline]), spaceV1),
  2: { identity: Uint32Array.of(0xab8358df, 0xbdc3c2af), pageCount: Uint8Array.of(1, 2) },
};

function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
}

function secondFrameAt(version: PackVersion): number {
  return packHeaderSizeBytes + frameLayouts[version].headerSizeBytes + 4096;
}

function hexOf(version: PackVersion, start: number, end: number): string {
  return Buffer.from(golden[version].subarray(start, end)).toString('hex');
}

test.each([1, 2] as const)('a version %i pack is read', (version) => {
  const bytes = golden[version];
  expect(decodePackHeader(bytes)).toEqual({ version });
  const secondAt = secondFrameAt(version);
  const pages = pagesIn({
    pack: `pack-v${version}`,
    version,
    startBytes: 0,
    bytes,
    frames: {
      ...named[version],
      offset: Uint32Array.of(packHeaderSizeBytes, secondAt),
      length: Uint32Array.of(secondAt - packHeaderSizeBytes, bytes.length - secondAt),
    },
  });
  expect(Buffer.from(pages).equals(Buffer.concat([...rawPages, ...lz4Pages]))).toBe(true);
});

test('a frame by codec 2 is read, its payload a plain zstd frame for any program', async () => {
  const bytes = fixture('pack-v2-zstd.bin');
  const half = noisePage(3).fill(0x33, 0, 2048);
  const pages = Buffer.concat([samplePage('repeat', 0x11), half]);
  const read = pagesIn({
    pack: 'pack-v2-zstd',
    version: 2,
    startBytes: 0,
    bytes,
    frames: {
      identity: Uint32Array.of(0x10e90457),
      pageCount: Uint8Array.of(2),
      offset: Uint32Array.of(packHeaderSizeBytes),
      length: Uint32Array.of(bytes.length - packHeaderSizeBytes),
    },
  });
  expect(Buffer.from(read).equals(pages)).toBe(true);

  const payload = bytes.subarray(packHeaderSizeBytes + frameLayouts[2].headerSizeBytes);
  const libraries = [zstdOfNode(), await zstdOfWebAssembly()].filter((each) => each !== undefined);
  for (const library of libraries) {
    expect(pages.equals(library.decompress(payload, pages.length))).toBe(true);
  }
  const first = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('hex');
  expect(first(40, 44)).toBe('02000000'); // zstd, no encryption
  expect(first(52, 57)).toBe('28b52ffd60'); // one segment, its size in 2 bytes, nothing else
});

test('the pack header and a raw frame are written as version 2 wrote them', () => {
  const { bytes } = framesOf({
    frames: requestsOf([rawOutline]),
    bytes: Buffer.concat(rawPages),
  });
  const written = Buffer.concat([encodePackHeader(), bytes]);
  expect(written.equals(golden[2].subarray(0, written.length))).toBe(true);
  expect(written.length).toBe(secondFrameAt(2));
});

test('what tests take for version 1 is what it wrote', () => {
  const batch = framesOf({
    frames: requestsOf([rawOutline]),
    bytes: Buffer.concat(rawPages),
  });
  const header = packHeaderV1({ replication: 3, space: spaceV1 });
  const written = Buffer.concat([header, batchV1(batch, spaceV1).bytes]);
  expect(written.equals(golden[1].subarray(0, written.length))).toBe(true);
  expect(written.length).toBe(secondFrameAt(1));
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
    while (at < literalEnd) {
      out.push(block[at++]);
    }
    if (at >= block.length) {
      break;
    } // the last sequence is literals only
    const distance = block[at++] | (block[at++] << 8);
    const matchLength = lengthFrom(token & 15) + 4;
    for (let index = 0; index < matchLength; index++) {
      out.push(out[out.length - distance]);
    }
  }
  return out;
}

test.each([1, 2] as const)(
  'the payload of codec 1 is a plain LZ4 block in version %i',
  (version) => {
    const payloadAt = secondFrameAt(version) + frameLayouts[version].headerSizeBytes;
    const unpacked = unpackLz4Block(golden[version].subarray(payloadAt));
    expect(Buffer.from(unpacked).equals(Buffer.concat(lz4Pages))).toBe(true);
  },
);

test('the first bytes are those that FORMAT.md shows', () => {
  expect(hexOf(2, 0, 12)).toBe('504152535041434b02000000'); // PARSPACK, 2
  expect(hexOf(2, 32, 36)).toBe('5046524d'); // PFRM
  expect(hexOf(2, 40, 52)).toBe('000000000010000000100000'); // raw, no encryption, 4096 of 4096
});

test('the first bytes of version 1 are those that it wrote', () => {
  expect(hexOf(1, 0, 12)).toBe('504152535041434b01000307'); // PARSPACK, 1, 3, 7
  expect(hexOf(1, 32, 36)).toBe('5046524d'); // PFRM
  expect(hexOf(1, 40, 64)).toBe('040302010000070080000000000000000010000000100000');
});
