import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import {
  decodeFrame,
  decodePackHeader,
  decodePages,
  decodeStoredFrames,
} from '../../src/pack/decode.js';
import { encodeFrames, encodePackHeader } from '../../src/pack/encode.js';
import { frameField, packField } from '../../src/pack/layout.js';
import type { StoredFrames } from '../../src/pack/types.js';
import { pageBatches } from './arbitraries.js';
import { batchOf, thrownBy } from './sample-pages.js';

const outlines = [
  { window: 3, maskLow: 0b1011, maskHigh: 0 },
  { window: 4, maskLow: 1, maskHigh: 0 },
];
const { frames, bytes } = encodeFrames(batchOf(outlines, ['repeat']));
const firstFrame = bytes.slice(0, frames.length[0]);

function stored(change: Partial<StoredFrames> = {}): StoredFrames {
  return { pack: 'packs/one', space: 0, startBytes: 0, frames, bytes, ...change };
}

/** A copy with some bytes changed and the CRC made to fit again: what a foreign writer could have made. */
function rewritten(change: (view: DataView) => void): Uint8Array {
  const copy = new Uint8Array(firstFrame);
  const view = new DataView(copy.buffer);
  change(view);
  view.setUint32(frameField.crc, crc32c(copy.subarray(frameField.window)), true);
  return copy;
}

function expectRefused(code: string, message: RegExp, work: () => unknown): void {
  const error = thrownBy(work);
  expect(error).toBeInstanceOf(ParsError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as unknown });
}

test('any flipped bit of a small frame is an error, never a value', () => {
  for (let bit = 0; bit < firstFrame.length * 8; bit++) {
    const copy = new Uint8Array(firstFrame);
    copy[bit >> 3] ^= 1 << (bit & 7);
    expectRefused('corrupt', /^frame at byte 0: /, () => decodeFrame(copy, 0));
  }
});

test('any truncation of a small frame is an error, never a value', () => {
  for (let size = 0; size < firstFrame.length; size++) {
    expectRefused('corrupt', /^frame at byte 0: expected/, () =>
      decodeFrame(firstFrame.subarray(0, size), 0),
    );
  }
});

test('any flipped bit or truncation of frames of any size is an error, never a value', () => {
  fc.assert(
    fc.property(pageBatches, fc.nat(), fc.boolean(), (batch, place, truncate) => {
      const encoded = encodeFrames(batch);
      if (encoded.bytes.length === 0) return;
      const damaged = truncate
        ? encoded.bytes.slice(0, place % encoded.bytes.length)
        : new Uint8Array(encoded.bytes);
      if (!truncate) damaged[place % damaged.length] ^= 1 << (place % 8);
      expect(
        thrownBy(() => decodePages(stored({ frames: encoded.frames, bytes: damaged }))),
      ).toMatchObject({ code: 'corrupt' });
    }),
    { numRuns: 100 },
  );
});

test('random bytes are an error, never a value', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      expect(thrownBy(() => decodeFrame(noise, 0))).toBeInstanceOf(ParsError);
      expect(thrownBy(() => decodePackHeader(noise))).toBeInstanceOf(ParsError);
    }),
  );
});

test.each<[string, string, RegExp, (view: DataView) => void]>([
  [
    'an unknown codec',
    'unsupported',
    /codec 9 is not known here \(known: 0, raw; 1, lz4\)/,
    (view) => {
      view.setUint8(frameField.codec, 9);
    },
  ],
  [
    'encryption',
    'unsupported',
    /encryption 1 is not known here/,
    (view) => {
      view.setUint8(frameField.encryption, 1);
    },
  ],
  [
    'a reserved byte in use',
    'corrupt',
    /reserved byte to be 0, found 1/,
    (view) => {
      view.setUint8(frameField.reserved, 1);
    },
  ],
  [
    'a mask that disagrees with the raw size',
    'corrupt',
    /its mask names 4 pages, its raw size is 12288 bytes/,
    (view) => {
      view.setUint32(frameField.maskHigh, 1, true);
    },
  ],
  [
    'codec raw with fewer bytes than its pages',
    'corrupt',
    /codec raw stores \d+ bytes for 12288/,
    (view) => {
      view.setUint8(frameField.codec, 0);
    },
  ],
  [
    'an LZ4 block that is none',
    'corrupt',
    /its LZ4 block does not unpack/,
    (view) => {
      view.setUint16(firstFrame.length - 8, 0xffff, true);
      view.setUint8(32, 0xff);
    },
  ],
  [
    'an LZ4 block that unpacks to fewer pages than stated',
    'corrupt',
    /its LZ4 block unpacks to 12288 bytes, expected 16384/,
    (view) => {
      view.setUint32(frameField.maskHigh, 1, true);
      view.setUint32(frameField.rawSize, 4 * 4096, true);
    },
  ],
  [
    'an LZ4 block that unpacks to more pages than stated',
    'corrupt',
    /its LZ4 block does not unpack/,
    (view) => {
      view.setUint32(frameField.maskLow, 1, true);
      view.setUint32(frameField.rawSize, 4096, true);
    },
  ],
])('%s is refused even with a CRC that fits', (_, code, message, change) => {
  expectRefused(code, message, () => decodeFrame(rewritten(change), 0));
});

test('sizes beyond the limits are refused before anything is read or taken', () => {
  const startMs = performance.now();
  expectRefused('corrupt', /expected 1 to 64 pages of 4096 bytes, found 2147479552 bytes/, () =>
    decodeFrame(
      rewritten((view) => {
        view.setUint32(frameField.rawSize, 0x7ffff000, true);
      }),
      0,
    ),
  );
  expectRefused('corrupt', /expected a payload of 1 to 12288 bytes, found 4294967295/, () =>
    decodeFrame(
      rewritten((view) => {
        view.setUint32(frameField.storedSize, 0xffffffff, true);
      }),
      0,
    ),
  );
  expectRefused('corrupt', /expected a payload of 12000 bytes, only \d+ are left/, () =>
    decodeFrame(
      rewritten((view) => {
        view.setUint32(frameField.storedSize, 12_000, true);
      }),
      0,
    ),
  );
  // Room for the stated length would take more than 5 s to make.
  expect(performance.now() - startMs).toBeLessThan(4000);
});

test('a message counts from the start of the pack and names it', () => {
  const shifted = {
    ...frames,
    offset: frames.offset.map((offset) => offset + 1000),
  };
  const damaged = new Uint8Array(bytes);
  damaged[damaged.length - 1] ^= 1;
  const place = frames.offset[1] + 1000;
  expectRefused('corrupt', new RegExp(`^packs/one: frame at byte ${place}: its CRC32C`), () =>
    decodePages(stored({ frames: shifted, startBytes: 1000, bytes: damaged })),
  );
});

test('a frame outside of the bytes given is refused', () => {
  expectRefused('corrupt', /but bytes 50 to \d+ of the pack were given/, () =>
    decodePages(stored({ startBytes: 50 })),
  );
});

test.each([
  ['space', stored({ space: 1 })],
  ['window', stored({ frames: { ...frames, window: Uint32Array.of(3, 5) } })],
  ['maskLow', stored({ frames: { ...frames, maskLow: Uint32Array.of(0b1011, 2) } })],
  ['maskHigh', stored({ frames: { ...frames, maskHigh: Uint32Array.of(1, 0) } })],
])('a whole frame with another %s than the manifest names is refused', (field, wanted) => {
  expectRefused('corrupt', new RegExp(`the manifest expects ${field}`), () => decodePages(wanted));
});

test('a frame shorter than the manifest says is refused', () => {
  const longer = { ...frames, length: frames.length.map((length, index) => length + 1 - index) };
  expectRefused('corrupt', /the manifest expects length/, () =>
    decodePages(stored({ frames: longer })),
  );
});

test('frames can be picked out of a piece with others between them', () => {
  const pick = (column: Uint32Array) => column.slice(1);
  const second = {
    window: pick(frames.window),
    maskLow: pick(frames.maskLow),
    maskHigh: pick(frames.maskHigh),
    offset: pick(frames.offset),
    length: pick(frames.length),
  };
  const found = [...decodeStoredFrames(stored({ frames: second }))];
  expect(found.map(({ window }) => window)).toEqual([4]);
});

test('any flipped bit or truncation of a pack header is an error', () => {
  const header = encodePackHeader({ replication: 3, space: 0 });
  for (let bit = 0; bit < header.length * 8; bit++) {
    const copy = new Uint8Array(header);
    copy[bit >> 3] ^= 1 << (bit & 7);
    const inVersion = Math.floor(bit / 8 / 2) * 2 === packField.version;
    expectRefused(inVersion ? 'unsupported' : 'corrupt', /^pack header: /, () =>
      decodePackHeader(copy),
    );
  }
  for (let size = 0; size < header.length; size++) {
    expectRefused('corrupt', /^pack header: expected 32 bytes, found/, () =>
      decodePackHeader(header.subarray(0, size)),
    );
  }
});

test('another pack version is refused by number', () => {
  const header = encodePackHeader({ replication: 3, space: 0 });
  new DataView(header.buffer).setUint16(packField.version, 2, true);
  expectRefused('unsupported', /found version 2 at byte 8, this program reads 1/, () =>
    decodePackHeader(header),
  );
});
