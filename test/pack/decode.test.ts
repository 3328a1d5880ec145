import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import { decodeFrame, decodePackHeader, decodeStoredFrames } from '../../src/pack/decode.js';
import { encodePackHeader } from '../../src/pack/encode.js';
import {
  frameField,
  type FrameLayout,
  frameLayouts,
  frameV1Field,
  packField,
} from '../../src/pack/layout.js';
import {
  type FrameBatch,
  type FrameColumns,
  type PackVersion,
  packVersions,
  type StoredFrames,
} from '../../src/pack/types.js';
import { pageBatches } from './arbitraries.js';
import { batchV1, namedInV1, packHeaderV1 } from './frames-v1.js';
import { framesOf, pagesIn } from './made-frames.js';
import { batchOf, requestsOf, thrownBy } from './sample-pages.js';

const outlines = [
  { window: 3, maskLow: 0b1011, maskHigh: 0 },
  { window: 4, maskLow: 1, maskHigh: 0 },
];

/** Frames as a program of that version writes them. */
function inVersion(
  version: PackVersion,
  batch: FrameBatch,
): { readonly frames: FrameColumns; readonly bytes: Uint8Array } {
  return version === 1 ? batchV1(batch, 0) : batch;
}

const encoded = framesOf(batchOf(outlines, ['repeat']));
const written: Readonly<Record<PackVersion, ReturnType<typeof inVersion>>> = {
  1: inVersion(1, encoded),
  2: inVersion(2, encoded),
};
const packHeaders: Readonly<Record<PackVersion, Uint8Array>> = {
  1: packHeaderV1({ replication: 3, space: 0 }),
  2: encodePackHeader(),
};

function stored(version: PackVersion, change: Partial<StoredFrames> = {}): StoredFrames {
  return { pack: 'packs/one', version, startBytes: 0, ...written[version], ...change };
}

function firstFrameOf(version: PackVersion): Uint8Array {
  const { frames, bytes } = written[version];
  return bytes.slice(0, frames.length[0]);
}

/** A copy with some bytes changed and the CRC made to fit again: what a foreign writer could have made. */
function rewritten(
  version: PackVersion,
  change: (view: DataView, layout: FrameLayout) => void,
): Uint8Array {
  const copy = firstFrameOf(version);
  const view = new DataView(copy.buffer);
  change(view, frameLayouts[version]);
  view.setUint32(frameField.crc, crc32c(copy.subarray(frameField.covered)), true);
  return copy;
}

function expectRefused(code: string, message: RegExp, work: () => unknown): void {
  const error = thrownBy(work);
  expect(error).toBeInstanceOf(ParsError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as unknown });
}

describe.each(packVersions)('of version %i', (version) => {
  const { frames, bytes } = written[version];

  test('any flipped bit of a small frame is an error, never a value', () => {
    const firstFrame = firstFrameOf(version);
    for (let bit = 0; bit < firstFrame.length * 8; bit++) {
      const copy = new Uint8Array(firstFrame);
      copy[bit >> 3] ^= 1 << (bit & 7);
      expectRefused('corrupt', /^frame at byte 0: /, () => decodeFrame(copy, 0, version));
    }
  });

  test('any truncation of a small frame is an error, never a value', () => {
    const firstFrame = firstFrameOf(version);
    for (let size = 0; size < firstFrame.length; size++) {
      expectRefused('corrupt', /^frame at byte 0: expected/, () =>
        decodeFrame(firstFrame.subarray(0, size), 0, version),
      );
    }
  });

  test('any flipped bit or truncation of frames of any size is an error, never a value', () => {
    fc.assert(
      fc.property(pageBatches, fc.nat(), fc.boolean(), (batch, place, truncate) => {
        const whole = inVersion(version, framesOf(batch));
        if (whole.bytes.length === 0) {
          return;
        }
        const damaged = truncate
          ? whole.bytes.slice(0, place % whole.bytes.length)
          : new Uint8Array(whole.bytes);
        if (!truncate) {
          damaged[place % damaged.length] ^= 1 << (place % 8);
        }
        expect(
          thrownBy(() => pagesIn(stored(version, { frames: whole.frames, bytes: damaged }))),
        ).toMatchObject({ code: 'corrupt' });
      }),
      { numRuns: 100 },
    );
  });

  test('random bytes are an error, never a value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(thrownBy(() => decodeFrame(noise, 0, version))).toBeInstanceOf(ParsError);
        expect(thrownBy(() => decodePackHeader(noise))).toBeInstanceOf(ParsError);
      }),
    );
  });

  test.each<[string, string, RegExp, (view: DataView, layout: FrameLayout) => void]>([
    [
      'an unknown codec',
      'unsupported',
      /codec 9 is not known here \(known: 0, raw; 1, lz4; 2, zstd\)/,
      (view, { codec }) => {
        view.setUint8(codec, 9);
      },
    ],
    [
      'encryption',
      'unsupported',
      /encryption 1 is not known here/,
      (view, { encryption }) => {
        view.setUint8(encryption, 1);
      },
    ],
    [
      'a reserved byte in use',
      'corrupt',
      /reserved byte \d+ to be 0, found 1/,
      (view, { reserved }) => {
        view.setUint8(reserved, 1);
      },
    ],
    [
      'the last reserved byte in use',
      'corrupt',
      /reserved byte \d+ to be 0, found 1/,
      (view, { reservedEnd }) => {
        view.setUint8(reservedEnd - 1, 1);
      },
    ],
    [
      'codec raw with fewer bytes than its pages',
      'corrupt',
      /codec raw stores \d+ bytes for 12288/,
      (view, { codec }) => {
        view.setUint8(codec, 0);
      },
    ],
    [
      'an LZ4 block that is none',
      'corrupt',
      /its LZ4 block does not unpack/,
      (view, { headerSizeBytes }) => {
        view.setUint16(view.byteLength - 8, 0xffff, true);
        view.setUint8(headerSizeBytes, 0xff);
      },
    ],
    [
      'an LZ4 block that unpacks to fewer pages than stated',
      'corrupt',
      /its LZ4 block does not unpack: 12288 bytes came out, expected 16384/,
      (view, { rawSize }) => {
        if (version === 1) {
          view.setUint32(frameV1Field.maskHigh, 1, true);
        }
        view.setUint32(rawSize, 4 * 4096, true);
      },
    ],
    [
      'an LZ4 block that unpacks to more pages than stated',
      'corrupt',
      /its LZ4 block does not unpack/,
      (view, { rawSize }) => {
        if (version === 1) {
          view.setUint32(frameV1Field.maskLow, 1, true);
        }
        view.setUint32(rawSize, 4096, true);
      },
    ],
  ])('%s is refused even with a CRC that fits', (_, code, message, change) => {
    expectRefused(code, message, () => decodeFrame(rewritten(version, change), 0, version));
  });

  test('sizes beyond the limits are refused before anything is read or taken', () => {
    const startMs = performance.now();
    const decode = (change: (view: DataView, layout: FrameLayout) => void) => () =>
      decodeFrame(rewritten(version, change), 0, version);
    expectRefused(
      'corrupt',
      /expected 1 to 64 pages of 4096 bytes, found 2147479552 bytes/,
      decode((view, { rawSize }) => {
        view.setUint32(rawSize, 0x7ffff000, true);
      }),
    );
    expectRefused(
      'corrupt',
      /expected a payload of 1 to 12288 bytes, found 4294967295/,
      decode((view, { storedSize }) => {
        view.setUint32(storedSize, 0xffffffff, true);
      }),
    );
    expectRefused(
      'corrupt',
      /expected a payload of 12000 bytes, only \d+ are left/,
      decode((view, { storedSize }) => {
        view.setUint32(storedSize, 12_000, true);
      }),
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
      pagesIn(stored(version, { frames: shifted, startBytes: 1000, bytes: damaged })),
    );
  });

  test('a frame outside of the bytes given is refused', () => {
    expectRefused('corrupt', /but bytes 50 to \d+ of the pack were given/, () =>
      pagesIn(stored(version, { startBytes: 50 })),
    );
  });

  test.each([
    ['identity', { ...frames, identity: Uint32Array.of(frames.identity[0], 5) }],
    ['identity', { ...frames, identity: frames.identity.toReversed() }],
    ['pageCount', { ...frames, pageCount: Uint8Array.of(4, 1) }],
  ])('a whole frame with another %s than the manifest names is refused', (field, wanted) => {
    expectRefused('corrupt', new RegExp(`the manifest expects ${field}`), () =>
      pagesIn(stored(version, { frames: wanted })),
    );
  });

  test('a frame shorter than the manifest says is refused', () => {
    const longer = { ...frames, length: frames.length.map((length, index) => length + 1 - index) };
    expectRefused('corrupt', /the manifest expects length/, () =>
      pagesIn(stored(version, { frames: longer })),
    );
  });

  test('frames can be picked out of a piece with others between them', () => {
    const second = {
      offset: frames.offset.slice(1),
      length: frames.length.slice(1),
      identity: frames.identity.slice(1),
      pageCount: frames.pageCount.slice(1),
    };
    const found = [...decodeStoredFrames(stored(version, { frames: second }))];
    expect(found.map(({ identity }) => identity)).toEqual([frames.identity[1]]);
    const [, , , fourthPage] = encodedPages();
    expect(found.map(({ pages }) => Buffer.from(pages))).toEqual([fourthPage]);
  });

  test('any flipped bit or truncation of a pack header is an error', () => {
    const header = packHeaders[version];
    for (let bit = 0; bit < header.length * 8; bit++) {
      const copy = new Uint8Array(header);
      copy[bit >> 3] ^= 1 << (bit & 7);
      const isInVersion = Math.floor(bit / 8 / 2) * 2 === packField.version;
      expectRefused(isInVersion ? 'unsupported' : 'corrupt', /^pack header: /, () =>
        decodePackHeader(copy),
      );
    }
    for (let size = 0; size < header.length; size++) {
      expectRefused('corrupt', /^pack header: expected 32 bytes, found/, () =>
        decodePackHeader(header.subarray(0, size)),
      );
    }
  });

  test('a reserved byte of a pack header in use is refused even with a CRC that fits', () => {
    // Version 1 has two bytes for people where the others have the first reserved ones.
    const firstReserved = packField.reserved + (version === 1 ? 2 : 0);
    for (let at = firstReserved; at < packField.crc; at++) {
      const header = new Uint8Array(packHeaders[version]);
      header[at] = 1;
      const view = new DataView(header.buffer);
      view.setUint32(packField.crc, crc32c(header.subarray(0, packField.crc)), true);
      expectRefused('corrupt', /^pack header: reserved bytes from byte \d+ are not zero/, () =>
        decodePackHeader(header),
      );
    }
  });

  test('another pack version is refused by number', () => {
    const header = new Uint8Array(packHeaders[version]);
    new DataView(header.buffer).setUint16(packField.version, 3, true);
    expectRefused('unsupported', /found version 3 at byte 8, this program reads 1 and 2;/, () =>
      decodePackHeader(header),
    );
  });

  test('its frames are none of the other version', () => {
    const other = version === 1 ? 2 : 1;
    expect(thrownBy(() => pagesIn(stored(version, { version: other })))).toBeInstanceOf(ParsError);
  });
});

/** The pages that the frames hold, in their order. */
function encodedPages(): readonly Buffer[] {
  const bytes = Buffer.from(batchOf(outlines, ['repeat']).bytes);
  return Array.from({ length: bytes.length / 4096 }, (_, page) =>
    bytes.subarray(page * 4096, (page + 1) * 4096),
  );
}

test('a version 1 frame whose mask disagrees with its raw size is refused even with a CRC that fits', () => {
  const frame = rewritten(1, (view) => {
    view.setUint32(frameV1Field.maskHigh, 1, true);
  });
  expectRefused('corrupt', /its mask names 4 pages, its raw size is 12288 bytes/, () =>
    decodeFrame(frame, 0, 1),
  );
});

test.each([
  ['space', namedInV1(requestsOf(outlines), 1)],
  ['window', namedInV1(requestsOf([outlines[0], { ...outlines[1], window: 5 }]), 0)],
  ['low half of the mask', namedInV1(requestsOf([outlines[0], { ...outlines[1], maskLow: 2 }]), 0)],
  [
    'high half of the mask',
    namedInV1(requestsOf([{ ...outlines[0], maskLow: 0b11, maskHigh: 1 }, outlines[1]]), 0),
  ],
])('a whole version 1 frame with another %s than the manifest names is refused', (_, named) => {
  expectRefused('corrupt', /the manifest expects identity/, () =>
    pagesIn(stored(1, { frames: { ...written[1].frames, ...named } })),
  );
});
