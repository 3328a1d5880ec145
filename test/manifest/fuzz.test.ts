// Manifests and bodies with right checksums and bytes changed at random, as a store that lies could give them: an error of ours,
// or a manifest that hangs together; never another error. PARS_FUZZ_CASES asks for more of them.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import { headerProblem } from '../../src/catalog/check-header.js';
import { bodyField, bodyHeadBytes } from '../../src/manifest/body/layout.js';
import { findProblem } from '../../src/manifest/check.js';
import { decodeManifest, decodeManifestHeader } from '../../src/manifest/decode.js';
import { encodeManifestHeader } from '../../src/manifest/encode.js';
import { headField, headSizeBytes } from '../../src/manifest/layout.js';
import type { Manifest, ManifestHeader } from '../../src/manifest/types.js';
import { sampleChains } from './sample-chain.js';
import { healingKeys, sampleManifest, sampleRam, sampleWithDisk } from './sample-manifest.js';
import { written } from './written.js';

const caseCount = Number(process.env['PARS_FUZZ_CASES'] ?? 3000);
const seed = Number(process.env['PARS_TEST_SEED'] ?? 12);
/** Runs of hours are asked for by hand. */
const timeoutMs = 12 * 3_600_000;

interface Change {
  readonly at: number;
  readonly value: number;
  readonly kind: 'set' | 'insert' | 'cut';
}

const marks = [0x80, 0x90, 0xc0, 0xc1, 0xc6, 0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xdb, 0xdd, 0xdf, 0xff];
const change = fc.record({
  at: fc.nat(),
  value: fc.oneof(fc.constantFrom(...marks), fc.nat(255)),
  kind: fc.constantFrom<Change['kind']>('set', 'set', 'insert', 'cut'),
});
const changes = fc.array(change, { maxLength: 6 });

function changed(bytes: Uint8Array, { at, value, kind }: Change): Uint8Array {
  const place = at % Math.max(1, bytes.length);
  const behind = bytes.subarray(
    kind === 'set' ? place + 1 : kind === 'cut' ? place + 1 + (value % 8) : place,
  );
  const between = kind === 'cut' ? new Uint8Array() : Uint8Array.of(value);
  return Buffer.concat([bytes.subarray(0, place), between, behind]);
}

const headerSizeOf = (file: Uint8Array): number =>
  new DataView(file.buffer, file.byteOffset).getUint32(headField.headerSize, true);

/** Changes what stands behind the head, and makes sizes and checksums fit again. */
function changedFile(file: Uint8Array, list: readonly Change[]): Uint8Array {
  const secondAt = headSizeBytes + headerSizeOf(file);
  const parts = [file.subarray(headSizeBytes, secondAt), file.subarray(secondAt, file.length - 32)];
  for (const entry of list) {
    const part = entry.value % 2;
    parts[part] = changed(parts[part], entry);
  }
  const head = Buffer.from(file.slice(0, headSizeBytes));
  head.writeUInt32LE(parts[0].length, headField.headerSize);
  head.writeBigUInt64LE(BigInt(parts[1].length), headField.secondSize);
  const isV1 = head.readUInt16LE(headField.version) === 1;
  const covered = isV1 ? parts[0] : Buffer.concat(parts);
  head.writeUInt32LE(crc32c(covered, crc32c(head.subarray(0, headField.crc))), headField.crc);
  const before = Buffer.concat([head, ...parts]);
  return Buffer.concat([before, createHash('sha256').update(before).digest()]);
}

/** Changes a body's record, packs it anew, and makes its head fit. */
function changedBody(body: Uint8Array, list: readonly Change[]): Uint8Array {
  let record: Uint8Array = inflateRawSync(body.subarray(bodyHeadBytes));
  for (const entry of list) {
    record = changed(record, entry);
  }
  const stored = deflateRawSync(record);
  const head = Buffer.from(body.slice(0, bodyHeadBytes));
  head.writeBigUInt64LE(BigInt(record.length), bodyField.rawSize);
  head.writeBigUInt64LE(BigInt(stored.length), bodyField.storedSize);
  head.writeUInt32LE(crc32c(head.subarray(0, bodyField.crc)), bodyField.crc);
  return Buffer.concat([head, stored]);
}

/** How many of the cases gave a manifest. */
function readCountOf<T>(
  samples: readonly T[],
  read: (sample: T, list: readonly Change[]) => Manifest,
) {
  let readCount = 0;
  fc.assert(
    fc.property(fc.constantFrom(...samples), changes, (sample, list) => {
      try {
        const manifest = read(sample, list);
        readCount++;
        expect(findProblem(manifest)).toBeUndefined();
        headerProblem(manifest.header, '0'.repeat(16));
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

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

test(
  'of a changed manifest with right checksums comes one in order, or an error of ours',
  () => {
    const samples = [
      { file: fixture('manifest-v1.bin'), bodies: [] },
      { file: fixture('manifest-v1-identity.bin'), bodies: [] },
      ...[
        sampleManifest,
        sampleWithDisk,
        { ...sampleManifest, spaces: [{ ...sampleRam, ...healingKeys }] },
      ].map((manifest) => {
        const { file, body } = written(manifest);
        return { file, bodies: [body] };
      }),
    ];
    const readCount = readCountOf(samples, ({ file, bodies }, list) =>
      decodeManifest(changedFile(file, list), bodies),
    );
    // Else nothing was shown.
    expect(readCount).toBeGreaterThan(caseCount / 100);
  },
  timeoutMs,
);

test(
  'of changed bodies whose hashes are right comes a manifest in order, or an error of ours',
  () => {
    const readCount = readCountOf(sampleChains(), ({ header, bodies }, list) => {
      const chosen = (list.at(0)?.value ?? 0) % bodies.length;
      const given = bodies.map((body, index) =>
        index === chosen ? changedBody(body, list) : body,
      );
      return decodeManifest(encodeManifestHeader(withBodies(header, given)), given);
    });
    expect(readCount).toBeGreaterThan(caseCount / 100);
  },
  timeoutMs,
);

function withBodies(header: ManifestHeader, bodies: readonly Uint8Array[]): ManifestHeader {
  return {
    ...header,
    bodies: bodies.map((body, index) => ({
      name: `packs/${String(index).padStart(16, '0')}/body`,
      sizeBytes: body.length,
      sha256: createHash('sha256').update(body).digest(),
    })),
  };
}

test('a header of noise between right checksums is an error of ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const { file } = written(sampleManifest);
      const list = [...noise].map((value, at): Change => ({ at, value, kind: 'set' }));
      try {
        decodeManifestHeader(changedFile(file, list));
      } catch (error) {
        if (!(error instanceof ParsError)) {
          throw error;
        }
      }
    }),
    { numRuns: Math.min(caseCount, 300), seed },
  );
});
