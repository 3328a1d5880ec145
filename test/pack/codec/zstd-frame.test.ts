// The outline of a zstd frame: what is let through, and each thing that is not.
import { expectOneZstdFrame } from '../../../src/pack/codec/zstd-frame.js';
import { zstdLibrary } from '../../../src/pack/codec/zstd-library.js';
import { samplePage } from '../sample-pages.js';

const contentBytes = 2 * 4096;
const content = Buffer.concat([samplePage('repeat', 1), samplePage('noise', 2)]);
const frame = Buffer.from(zstdLibrary.compress(content, 3));
const descriptorAt = 4;
const firstBlockAt = 7;

/** A frame whose content size stands in 2 bytes, of the blocks that are given. */
function framed(descriptor: number, sizeBytes: readonly number[], ...blocks: Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...sizeBytes]),
    ...blocks,
  ]);
}

function block(isLast: boolean, kind: number, sizeBytes: number, content: Buffer): Buffer {
  const header = (isLast ? 1 : 0) | (kind << 1) | (sizeBytes << 3);
  return Buffer.concat([Buffer.from([header & 255, (header >> 8) & 255, header >> 16]), content]);
}

const page = Buffer.alloc(4096, 7);

test('a frame as it is written is let through, however long its content size is', () => {
  expectOneZstdFrame(frame, contentBytes);
  const raw = block(true, 0, 4096, page);
  expectOneZstdFrame(framed(0x60, [0x00, 0x0f], raw), 4096);
  expectOneZstdFrame(framed(0xa0, [0x00, 0x10, 0, 0], raw), 4096);
  expectOneZstdFrame(framed(0xe0, [0x00, 0x10, 0, 0, 0, 0, 0, 0], raw), 4096);
  const repeated = Buffer.from([7]);
  expectOneZstdFrame(
    framed(0x60, [0x00, 0x0f], block(false, 1, 96, repeated), block(true, 1, 4000, repeated)),
    4096,
  );
});

const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0]);
const whole = block(true, 0, 4096, page);
const size4096 = [0x00, 0x0f] as const;

test.each<[string, Buffer, RegExp]>([
  ['nothing', Buffer.alloc(0), /does not begin/],
  ['another magic', Buffer.from(frame).fill(0, 0, 1), /does not begin/],
  ['a frame to be skipped', Buffer.concat([skippable, frame]), /does not begin/],
  ['a window of its own', framed(0x40, [0x50, ...size4096], whole), /single segment/],
  ['a dictionary', framed(0x61, [9, ...size4096], whole), /without dictionary/],
  ['a checksum', framed(0x64, size4096, whole, Buffer.alloc(4)), /checksum/],
  ['a reserved bit', framed(0x68, size4096, whole), /descriptor 104/],
  ['another content size', framed(0x60, [0x01, 0x0f], whole), /holds 4097 bytes, expected 4096/],
  [
    'a content size of more than memory',
    framed(0xe0, [255, 255, 255, 255, 255, 255, 255, 255], whole),
    /holds 18446744073709551615 bytes/,
  ],
  ['a header that ends early', framed(0xe0, [0x00, 0x10]), /ends within the header/],
  ['no block', framed(0x60, size4096), /lacks a last block/],
  ['no last block', framed(0x60, size4096, block(false, 0, 4096, page)), /lacks a last block/],
  [
    'a block that ends early',
    framed(0x60, size4096, whole.subarray(0, -1)),
    /ends at byte 4106 of 4105/,
  ],
  ['a block of no known kind', framed(0x60, size4096, block(true, 3, 0, page)), /kind 3/],
  [
    'a block larger than the content',
    framed(0x60, size4096, block(true, 1, 4097, page)),
    /4097 bytes/,
  ],
  ['bytes behind it', framed(0x60, size4096, whole, Buffer.from([0])), /ends at byte 4106 of 4107/],
  [
    'a second frame',
    Buffer.concat([framed(0x60, size4096, whole), framed(0x60, size4096, whole)]),
    /ends at byte 4106/,
  ],
  [
    'a frame to be skipped behind it',
    framed(0x60, size4096, whole, skippable),
    /ends at byte 4106/,
  ],
])('refused: %s', (_, payload, message) => {
  expect(() => {
    expectOneZstdFrame(payload, 4096);
  }).toThrow(message);
});

test('a view into other bytes is looked at where it lies', () => {
  const around = Buffer.concat([Buffer.alloc(5, 255), frame, Buffer.alloc(5, 255)]);
  expectOneZstdFrame(around.subarray(5, 5 + frame.length), contentBytes);
  expect(frame[descriptorAt]).toBe(0x60);
  expect(firstBlockAt).toBeLessThan(frame.length);
});
