// Frames, pack headers and page hashes with bytes changed at random and checksums that are right again, as a store that lies could
// give them: an error of ours, or pages of the size that was promised; never another error, and never more memory than a
// frame's. PARS_FUZZ_CASES asks for more of them.
import { readFileSync } from 'node:fs';
import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import { decodeFrame, decodePackHeader } from '../../src/pack/decode.js';
import { encodePackHeader } from '../../src/pack/encode.js';
import { decodeHashes } from '../../src/pack/hashes/decode.js';
import { encodeHashes } from '../../src/pack/hashes/encode.js';
import { hashesField, hashesHeadBytes } from '../../src/pack/hashes/layout.js';
import {
  frameField,
  frameHeaderSizeBytes,
  frameLayouts,
  packField,
  packHeaderSizeBytes,
  windowSizeBytes,
} from '../../src/pack/layout.js';
import type { PackVersion } from '../../src/pack/types.js';
import { framesOf } from './made-frames.js';
import { batchOf } from './sample-pages.js';

const caseCount = Number(process.env['PARS_FUZZ_CASES'] ?? 2000);
const seed = Number(process.env['PARS_TEST_SEED'] ?? 14);
/** Runs of hours are asked for by hand. */
const timeoutMs = 12 * 3_600_000;

const changes = fc.array(
  fc.record({ at: fc.nat(), value: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'cut') }),
  { minLength: 1, maxLength: 5 },
);
type Changes = readonly { readonly at: number; readonly value: number; readonly kind: string }[];

/** Mostly in the header, where each byte has a meaning. */
function changed(bytes: Uint8Array, list: Changes, headerBytes: number): Buffer {
  let result = Buffer.from(bytes);
  for (const { at, value, kind } of list) {
    const place = at % (at % 4 === 0 ? Math.max(1, result.length) : headerBytes);
    const behind = place + (kind === 'insert' ? 0 : kind === 'cut' ? 1 + (value % 8) : 1);
    const between = kind === 'cut' ? [] : [value];
    result = Buffer.concat([
      result.subarray(0, place),
      Buffer.from(between),
      result.subarray(Math.min(behind, result.length)),
    ]);
  }
  return result;
}

const goldenV1 = new Uint8Array(readFileSync(new URL('../fixtures/pack-v1.bin', import.meta.url)));
/** A raw and a compressed frame of each version. */
const frames: readonly { readonly version: PackVersion; readonly bytes: Uint8Array }[] = [
  { version: 1, bytes: goldenV1.subarray(packHeaderSizeBytes, packHeaderSizeBytes + 32 + 4096) },
  { version: 1, bytes: goldenV1.subarray(packHeaderSizeBytes + 32 + 4096) },
  ...(['noise', 'repeat'] as const).map((kind) => ({
    version: 2 as const,
    bytes: framesOf(batchOf([{ window: 0, maskLow: 7, maskHigh: 0 }], [kind])).bytes,
  })),
  ...[1, 9].map((level) => ({
    version: 2 as const,
    bytes: framesOf(batchOf([{ window: 0, maskLow: 7, maskHigh: 0 }], ['noise', 'repeat']), [
      `zstd:${level}`,
    ]).bytes,
  })),
];

function readCountOf(work: (list: Changes, pick: number) => void): number {
  let readCount = 0;
  fc.assert(
    fc.property(changes, fc.nat(), (list, pick) => {
      try {
        work(list, pick);
        readCount++;
      } catch (error) {
        if (!(error instanceof ParsError)) {
          throw error;
        }
      }
    }),
    { numRuns: caseCount, seed },
  );
  return readCount;
}

test(
  'of a changed frame with a right checksum come pages of its size, or an error of ours',
  () => {
    const readCount = readCountOf((list, pick) => {
      const { version, bytes } = frames[pick % frames.length];
      const frame = changed(bytes, list, 32);
      if (frame.length > frameField.covered) {
        frame.writeUInt32LE(crc32c(frame.subarray(frameField.covered)), frameField.crc);
      }
      const { pages, rawSizeBytes } = decodeFrame(frame, 0, version);
      expect(pages.length).toBe(rawSizeBytes);
      expect(pages.length).toBeLessThanOrEqual(windowSizeBytes);
    });
    // Else nothing was shown.
    expect(readCount).toBeGreaterThan(caseCount / 100);
  },
  timeoutMs,
);

test(
  'of a changed zstd payload in a frame that is right come pages of its size, or corrupt',
  () => {
    const { bytes } = frames[frames.length - 1];
    const payloadAt = frameHeaderSizeBytes;
    // In the frame's header and the headers of its blocks each byte has a meaning.
    const readCount = readCountOf((list) => {
      const payload = changed(bytes.subarray(payloadAt), list, 16);
      const frame = Buffer.concat([bytes.subarray(0, payloadAt), payload]);
      frame.writeUInt32LE(payload.length, frameLayouts[2].storedSize);
      frame.writeUInt32LE(crc32c(frame.subarray(frameField.covered)), frameField.crc);
      try {
        expect(decodeFrame(frame, 0, 2).pages.length).toBe(3 * 4096);
      } catch (error) {
        expect(error).toMatchObject({ code: 'corrupt' });
        throw error;
      }
    });
    expect(readCount).toBeGreaterThan(caseCount / 100);
  },
  timeoutMs,
);

test(
  'of a changed pack header with a right checksum comes a version that is known, or an error of ours',
  () => {
    const headers = [goldenV1.subarray(0, packHeaderSizeBytes), encodePackHeader()];
    const readCount = readCountOf((list, pick) => {
      const header = changed(headers[pick % headers.length], list, packHeaderSizeBytes);
      if (header.length >= packHeaderSizeBytes) {
        header.writeUInt32LE(crc32c(header.subarray(0, packField.crc)), packField.crc);
      }
      expect([1, 2]).toContain(decodePackHeader(header).version);
    });
    expect(readCount).toBeGreaterThan(caseCount / 100);
  },
  timeoutMs,
);

test(
  'of changed page hashes with a right checksum come hashes that fill the file, or an error of ours',
  () => {
    const hashes = (count: number): Uint8Array => new Uint8Array(count * 16).fill(count);
    const file = encodeHashes({ firstPack: 64, packs: [hashes(3), hashes(0), hashes(9)] });
    const readCount = readCountOf((list) => {
      const bytes = changed(file, list, hashesHeadBytes);
      if (bytes.length >= hashesHeadBytes) {
        const headCrc = crc32c(bytes.subarray(0, hashesField.crc));
        bytes.writeUInt32LE(crc32c(bytes.subarray(hashesHeadBytes), headCrc), hashesField.crc);
      }
      const { packs } = decodeHashes(bytes);
      const hashBytes = packs.reduce((sum, pack) => sum + pack.length, 0);
      expect(hashesHeadBytes + packs.length * 4 + hashBytes).toBe(bytes.length);
    });
    expect(readCount).toBeGreaterThan(caseCount / 100);
  },
  timeoutMs,
);
