import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import { packValue, unpackValue } from '../../src/manifest/codec.js';
import { decodeManifest, decodeManifestHeader } from '../../src/manifest/decode.js';
import { headField, headSizeBytes, maxDetailsSizeBytes } from '../../src/manifest/layout.js';
import { sampleId, sampleManifest } from './sample-manifest.js';
import { written } from './written.js';

const { file: bytes, body } = written(sampleManifest);
const headerSizeBytes = new DataView(bytes.buffer).getUint32(headField.headerSize, true);
const detailsAt = headSizeBytes + headerSizeBytes;

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error, got a value');
}

function expectRefused(code: string, message: RegExp, work: () => unknown): void {
  const error = thrownBy(work);
  expect(error).toBeInstanceOf(ParsError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as unknown });
}

type Record_ = Record<string, unknown>;

/** A file with right checksums around any header, details and head: what a foreign writer could have made. */
function rewritten(change: {
  readonly header?: (header: Record_) => unknown;
  readonly details?: (details: Record_) => unknown;
  readonly head?: (view: DataView) => void;
}): Uint8Array {
  const header = unpackValue(bytes.subarray(headSizeBytes, detailsAt)) as Record_;
  const details = unpackValue(bytes.subarray(detailsAt, bytes.length - 32)) as Record_;
  const packedHeader = packValue({ ...header, ...(change.header?.(header) as object) });
  const packedDetails = packValue({ ...details, ...(change.details?.(details) as object) });
  const head = new Uint8Array(bytes.slice(0, headSizeBytes));
  const view = new DataView(head.buffer);
  view.setUint32(headField.headerSize, packedHeader.length, true);
  view.setBigUint64(headField.secondSize, BigInt(packedDetails.length), true);
  change.head?.(view);
  const covered = Buffer.concat([packedHeader, packedDetails]);
  view.setUint32(headField.crc, crc32c(covered, crc32c(head.subarray(0, headField.crc))), true);
  const before = Buffer.concat([head, covered]);
  return Buffer.concat([before, createHash('sha256').update(before).digest()]);
}

const packRun = (change: object): object => ({
  writer: 'a',
  packCount: 1,
  number: new Uint8Array(4),
  sizeBytes: new Uint8Array(4),
  copies: 1,
  ...change,
});

const decode = (file: Uint8Array): unknown => decodeManifest(file, [body]);

test('any flipped bit is an error, never a value', () => {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const copy = new Uint8Array(bytes);
    copy[bit >> 3] ^= 1 << (bit & 7);
    expect(thrownBy(() => decode(copy))).toBeInstanceOf(ParsError);
  }
});

test('a flipped bit in head, header or details never gives a header', () => {
  for (let bit = 0; bit < (bytes.length - 32) * 8; bit++) {
    const copy = new Uint8Array(bytes);
    copy[bit >> 3] ^= 1 << (bit & 7);
    let kind = 'error';
    try {
      kind = decodeManifestHeader(copy).kind;
    } catch (error) {
      expect(error).toBeInstanceOf(ParsError);
    }
    expect(kind).not.toBe('complete');
  }
});

test('any truncation is an error that says where the file ends', () => {
  for (let size = 0; size < bytes.length; size++) {
    expectRefused('corrupt', new RegExp(`at byte ${size}: the file ends here`), () =>
      decode(bytes.subarray(0, size)),
    );
  }
});

test('bytes after the end are an error', () => {
  expectRefused('corrupt', /the file ends here, expected/, () =>
    decode(Buffer.concat([bytes, Buffer.alloc(1)])),
  );
});

test('random bytes are an error, never a value', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      expect(thrownBy(() => decode(noise))).toBeInstanceOf(ParsError);
    }),
  );
});

test('what is rewritten without a change is read', () => {
  expect(decodeManifest(rewritten({}), [body]).header.vm).toBe('web-1');
});

test('another version is refused by number before anything else is believed', () => {
  const file = rewritten({
    head: (view) => {
      view.setUint16(headField.version, 3, true);
      view.setUint32(headField.headerSize, 0xffffffff, true);
    },
  });
  expectRefused('unsupported', /manifest version 3, this program reads 1 and 2/, () =>
    decodeManifestHeader(file),
  );
});

test('an unknown flag is refused', () => {
  const file = rewritten({
    head: (view) => {
      view.setUint16(headField.flags, 4, true);
    },
  });
  expectRefused('unsupported', /manifest flags 100 \(binary\)/, () => decodeManifestHeader(file));
});

test('details that are encrypted are refused by number', () => {
  const file = rewritten({
    head: (view) => {
      view.setUint8(headField.encryption, 1);
    },
  });
  expectRefused('unsupported', /encryption 1 is not known here/, () => decodeManifestHeader(file));
});

test('an unknown required feature is refused by name, even where the header has another shape', () => {
  const file = rewritten({ header: () => ({ requiredFeatures: ['chains', 'tape'], packs: 5 }) });
  expectRefused('unsupported', /requires chains, tape, which this program does not know/, () =>
    decodeManifestHeader(file),
  );
});

test('keys that are not known are passed over', () => {
  const file = rewritten({ header: () => ({ colour: 'green' }), details: () => ({ speed: 1 }) });
  expect(decodeManifest(file, [body]).header).not.toHaveProperty('colour');
});

test('sizes beyond the limits are refused before memory is taken', () => {
  const headerTooLarge = rewritten({
    head: (view) => {
      view.setUint32(headField.headerSize, 0x7fffffff, true);
    },
  });
  expectRefused('corrupt', /at byte 12: a header of 2147483647 bytes, at most/, () =>
    decodeManifestHeader(headerTooLarge),
  );
  const detailsTooLarge = rewritten({
    head: (view) => {
      view.setBigUint64(headField.secondSize, BigInt(maxDetailsSizeBytes) + 1n, true);
    },
  });
  expectRefused('corrupt', /at byte 16: details of 1048577 bytes, at most/, () =>
    decodeManifestHeader(detailsTooLarge),
  );
});

test('bodies that are missing, or not those that the header names, are refused by their name', () => {
  const other = new Uint8Array(body);
  other[other.length - 1] ^= 1;
  for (const bodies of [[], [other], [body.subarray(1)]]) {
    expectRefused('corrupt', new RegExp(`^packs/${sampleId}/body: its \\d+ bytes are not`), () =>
      decodeManifest(bytes, bodies),
    );
  }
});

test.each<[string, RegExp, Parameters<typeof rewritten>[0]]>([
  [
    'packs without copies',
    /packs\.0\.copies/,
    { header: () => ({ packs: [packRun({ copies: null })] }) },
  ],
  [
    'a writer of packs that leaves the store',
    /packs\.0\.writer: expected a name/,
    { header: () => ({ packs: [packRun({ writer: 'a/../b' })] }) },
  ],
  [
    'columns of packs that are not as long as their count',
    /the columns of the packs of a are not 2 long/,
    { header: () => ({ packs: [packRun({ packCount: 2 })] }) },
  ],
  ['no body', /bodies: expected one body or more/, { header: () => ({ bodies: [] }) }],
  [
    'a name with a slash for the VM',
    /vm: expected text of 1 to 255 bytes/,
    { header: () => ({ vm: 'a/b' }) },
  ],
  ['a size that is not whole', /imageSizeBytes/, { header: () => ({ imageSizeBytes: 1.5 }) }],
  ['a size beyond 2^53', /createdMs/, { header: () => ({ createdMs: 2 ** 60 }) }],
  [
    'a hash that is too short',
    /sha256: expected 32 bytes/,
    {
      header: () => ({
        attachments: [{ role: 'state', name: 's', sizeBytes: 1, sha256: new Uint8Array(31) }],
      }),
    },
  ],
  [
    'a legend that is too long',
    /legend/,
    { details: () => ({ legend: Array.from({ length: 257 }, (_, index) => `l${index}`) }) },
  ],
  [
    'a count of pages that is no number',
    /labelCounts/,
    { details: () => ({ labelCounts: { a: 'x' } }) },
  ],
])('%s is refused', (_, message, change) => {
  expectRefused('corrupt', message, () => decode(rewritten(change)));
});
