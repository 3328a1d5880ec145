// Files of page hashes: what is written comes back, and anything else than that is an error, never a hash.
import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { ParsError } from '../../../introspect/pars-error.js';
import { decodeHashes } from '../../../src/pack/hashes/decode.js';
import { encodeHashes } from '../../../src/pack/hashes/encode.js';
import {
  hashesField,
  hashesHeadBytes,
  hashFileBytes,
  maxHashedPageCount,
  packsPerHashFile,
} from '../../../src/pack/hashes/layout.js';
import type { PackHashes } from '../../../src/pack/hashes/types.js';
import { pageHashBytes } from '../../../src/pack/page-hash.js';
import { thrownBy } from '../sample-pages.js';

/** A hash of each page, every one another. */
function hashesOf(pageCount: number, seed: number): Uint8Array {
  const bytes = Buffer.alloc(pageCount * pageHashBytes, seed);
  for (let page = 0; page < pageCount; page++) {
    bytes.writeUInt32LE(page, page * pageHashBytes);
  }
  return new Uint8Array(bytes);
}

const packHashes: fc.Arbitrary<PackHashes> = fc.record({
  firstPack: fc.nat(0xffffffff),
  packs: fc
    .array(fc.nat({ max: 20 }), { minLength: 1, maxLength: packsPerHashFile, size: 'max' })
    .map((pageCounts) => pageCounts.map((pageCount, pack) => hashesOf(pageCount, pack + 1))),
});

const sample: PackHashes = {
  firstPack: 64,
  packs: [hashesOf(3, 1), hashesOf(0, 2), hashesOf(2, 3)],
};
const sampleBytes = encodeHashes(sample);

/** A copy of the sample with some bytes changed and the CRC made to fit again: what a foreign writer could have made. */
function rewritten(change: (bytes: Buffer) => Buffer | undefined): Uint8Array {
  const copy = Buffer.from(sampleBytes);
  const bytes = change(copy) ?? copy;
  const headCrc = crc32c(bytes.subarray(0, hashesField.crc));
  bytes.writeUInt32LE(crc32c(bytes.subarray(hashesHeadBytes), headCrc), hashesField.crc);
  return bytes;
}

function expectRefused(code: string, message: RegExp, bytes: Uint8Array): void {
  const error = thrownBy(() => decodeHashes(bytes));
  expect(error).toBeInstanceOf(ParsError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as unknown });
}

test('what is written comes back, in the length that is foretold', () => {
  fc.assert(
    fc.property(packHashes, (hashes) => {
      const bytes = encodeHashes(hashes);
      const pageCount = hashes.packs.reduce((sum, { length }) => sum + length / pageHashBytes, 0);
      expect(bytes.length).toBe(hashFileBytes(hashes.packs.length, pageCount));
      const { firstPack, packs } = decodeHashes(bytes);
      expect(firstPack).toBe(hashes.firstPack);
      expect(packs.map((pack) => Buffer.from(pack).toString('hex'))).toEqual(
        hashes.packs.map((pack) => Buffer.from(pack).toString('hex')),
      );
    }),
  );
});

test('a file that lies within other bytes is read, as a store may hand it over', () => {
  const larger = Buffer.concat([Buffer.alloc(3, 1), sampleBytes, Buffer.alloc(5, 1)]);
  const { packs } = decodeHashes(larger.subarray(3, 3 + sampleBytes.length));
  expect(packs.map((pack) => new Uint8Array(pack))).toEqual(sample.packs);
});

test('any flipped bit of a small file is an error, never a value', () => {
  for (let bit = 0; bit < sampleBytes.length * 8; bit++) {
    const copy = new Uint8Array(sampleBytes);
    copy[bit >> 3] ^= 1 << (bit & 7);
    const isInVersion = Math.floor(bit / 8 / 2) * 2 === hashesField.version;
    expectRefused(isInVersion ? 'unsupported' : 'corrupt', /^page hashes: /, copy);
  }
});

test('any truncation of a small file, and anything behind it, is an error, never a value', () => {
  for (let size = 0; size < sampleBytes.length; size++) {
    expectRefused('corrupt', /^page hashes: /, sampleBytes.subarray(0, size));
  }
  expectRefused('corrupt', /^page hashes: /, Buffer.concat([sampleBytes, Buffer.alloc(1)]));
});

test('any flipped bit or truncation of files of any size is an error, never a value', () => {
  fc.assert(
    fc.property(packHashes, fc.nat(), fc.nat(7), fc.boolean(), (hashes, place, bit, truncate) => {
      const whole = encodeHashes(hashes);
      const at = place % whole.length;
      const damaged = truncate ? whole.slice(0, at) : new Uint8Array(whole);
      if (!truncate) {
        damaged[at] ^= 1 << bit;
      }
      expect(thrownBy(() => decodeHashes(damaged))).toBeInstanceOf(ParsError);
    }),
  );
});

test('random bytes are an error, never a value', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      expect(thrownBy(() => decodeHashes(noise))).toBeInstanceOf(ParsError);
    }),
  );
});

test.each<[string, string, RegExp, (bytes: Buffer) => Buffer | undefined]>([
  [
    'another version',
    'unsupported',
    /version 2 is not known here \(known: 1\); use a newer program/,
    (bytes) => {
      bytes.writeUInt16LE(2, hashesField.version);
      return undefined;
    },
  ],
  [
    'another algorithm',
    'unsupported',
    /algorithm 2 is not known here \(known: 1\); use a newer program/,
    (bytes) => {
      bytes[hashesField.algorithm] = 2;
      return undefined;
    },
  ],
  [
    'encryption',
    'unsupported',
    /encryption 1 is not known here \(known: 0\); use a newer program/,
    (bytes) => {
      bytes[hashesField.encryption] = 1;
      return undefined;
    },
  ],
  [
    'the first reserved byte in use',
    'corrupt',
    /reserved bytes from byte 20 are not zero/,
    (bytes) => {
      bytes[hashesField.reserved] = 1;
      return undefined;
    },
  ],
  [
    'the last reserved byte in use',
    'corrupt',
    /reserved bytes from byte 20 are not zero/,
    (bytes) => {
      bytes[hashesField.crc - 1] = 1;
      return undefined;
    },
  ],
  [
    'more packs than its bytes have room for',
    'corrupt',
    /expected 1 to 64 packs that fit 124 bytes, found 64/,
    (bytes) => {
      bytes.writeUInt32LE(64, hashesField.packCount);
      return undefined;
    },
  ],
  [
    'as many packs as there can be numbers',
    'corrupt',
    /expected 1 to 64 packs that fit 124 bytes, found 4294967295/,
    (bytes) => {
      bytes.writeUInt32LE(0xffffffff, hashesField.packCount);
      return undefined;
    },
  ],
  [
    'a pack of more hashes than its bytes have room for',
    'corrupt',
    /6 hashes of its pack 0 do not fit 124 bytes/,
    (bytes) => {
      bytes.writeUInt32LE(6, hashesHeadBytes);
      return undefined;
    },
  ],
  [
    'a last pack of more hashes than are left',
    'corrupt',
    /3 hashes of its pack 2 do not fit 124 bytes/,
    (bytes) => {
      bytes.writeUInt32LE(3, hashesHeadBytes + 8);
      return undefined;
    },
  ],
  [
    'as many hashes as there can be numbers',
    'corrupt',
    /4294967295 hashes of its pack 1 do not fit/,
    (bytes) => {
      bytes.writeUInt32LE(0xffffffff, hashesHeadBytes + 4);
      return undefined;
    },
  ],
  [
    'bytes behind its last hash',
    'corrupt',
    /it has 124 bytes, its hashes end at byte 108/,
    (bytes) => {
      bytes.writeUInt32LE(1, hashesHeadBytes + 8);
      return undefined;
    },
  ],
  [
    'half a hash behind its last',
    'corrupt',
    /it has 132 bytes, its hashes end at byte 124/,
    (bytes) => Buffer.concat([bytes, Buffer.alloc(8)]),
  ],
])('%s is refused even with a CRC that fits', (_, code, message, change) => {
  expectRefused(code, message, rewritten(change));
});

test('as many packs and pages as a file may have are read, and one more of either is refused', () => {
  const packs = Array.from({ length: packsPerHashFile }, (_, pack) => hashesOf(1, pack));
  expect(decodeHashes(encodeHashes({ firstPack: 0, packs })).packs).toHaveLength(packsPerHashFile);
  for (const wrong of [[], [...packs, hashesOf(1, 0)]]) {
    expect(() => encodeHashes({ firstPack: 0, packs: wrong })).toThrow(
      `expected 1 to 64 packs, found ${wrong.length}`,
    );
  }
  const most = hashesOf(maxHashedPageCount, 1);
  expect(decodeHashes(encodeHashes({ firstPack: 0, packs: [most] })).packs[0]).toHaveLength(
    most.length,
  );
  expectRefused(
    'corrupt',
    /262145 hashes of its pack 0 do not fit/,
    encodeHashes({ firstPack: 0, packs: [hashesOf(maxHashedPageCount + 1, 1)] }),
  );
});
