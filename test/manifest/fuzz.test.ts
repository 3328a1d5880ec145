// Manifests with right checksums and bytes changed at random, as a store that lies could give them: an error of ours, or a
// manifest that hangs together; never another error. PARS_FUZZ_CASES asks for more of them.
import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import { headerProblem } from '../../src/catalog/check-header.js';
import { findProblem } from '../../src/manifest/check.js';
import { decodeManifest } from '../../src/manifest/decode.js';
import { encodeManifest } from '../../src/manifest/encode.js';
import { headField, headSizeBytes } from '../../src/manifest/layout.js';
import { healingKeys, sampleManifest, sampleWithDisk } from './sample-manifest.js';

const caseCount = Number(process.env['PARS_FUZZ_CASES'] ?? 3000);

const samples = [
  sampleManifest,
  sampleWithDisk,
  {
    header: { ...sampleManifest.header, requiredFeatures: ['not-stored'] },
    spaces: [{ ...sampleManifest.spaces[0], ...healingKeys }],
  },
].map(encodeManifest);

interface Change {
  readonly at: number;
  readonly value: number;
  readonly kind: 'set' | 'insert' | 'cut';
}

/** Changes header and body, and makes sizes and checksums fit again. */
function changed(sample: Uint8Array, changes: readonly Change[]): Uint8Array {
  const view = new DataView(sample.buffer, sample.byteOffset);
  const bodyAt = headSizeBytes + view.getUint32(headField.headerSize, true);
  const parts = [
    [...sample.subarray(headSizeBytes, bodyAt)],
    [...sample.subarray(bodyAt, sample.length - 32)],
  ];
  for (const { at, value, kind } of changes) {
    const part = parts[at % 2];
    const place = Math.floor(at / 2) % Math.max(1, part.length);
    if (kind === 'set') part[place] = value;
    else
      part.splice(place, kind === 'cut' ? 1 + (value % 8) : 0, ...(kind === 'cut' ? [] : [value]));
  }
  const head = Buffer.from(sample.slice(0, headSizeBytes));
  head.writeUInt32LE(parts[0].length, headField.headerSize);
  head.writeBigUInt64LE(BigInt(parts[1].length), headField.bodySize);
  const header = Buffer.from(parts[0]);
  head.writeUInt32LE(crc32c(header, crc32c(head.subarray(0, headField.crc))), headField.crc);
  const before = Buffer.concat([head, header, Buffer.from(parts[1])]);
  return Buffer.concat([before, createHash('sha256').update(before).digest()]);
}

test('of changed bytes with right checksums comes a manifest in order, or an error of ours', () => {
  const marks = [
    0x80, 0x90, 0xc0, 0xc1, 0xc6, 0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xdb, 0xdd, 0xdf, 0xff,
  ];
  const change = fc.record({
    at: fc.nat(),
    value: fc.oneof(fc.constantFrom(...marks), fc.nat(255)),
    kind: fc.constantFrom<Change['kind']>('set', 'set', 'insert', 'cut'),
  });
  let readCount = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(change, { maxLength: 6 }),
      (sample, changes) => {
        try {
          const manifest = decodeManifest(changed(sample, changes));
          readCount++;
          expect(findProblem(manifest)).toBeUndefined();
          headerProblem(manifest.header, '0'.repeat(16));
        } catch (error) {
          if (!(error instanceof ParsError)) throw error;
        }
      },
    ),
    { numRuns: caseCount, seed: 12 },
  );
  // Else nothing was shown.
  expect(readCount).toBeGreaterThan(caseCount / 100);
}, 600_000);
