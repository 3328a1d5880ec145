import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import { packValue, unpackValue } from '../../src/manifest/codec.js';
import { decodeManifest, decodeManifestHeader } from '../../src/manifest/decode.js';
import { encodeManifest } from '../../src/manifest/encode.js';
import { headField, headSizeBytes, maxBodySizeBytes } from '../../src/manifest/layout.js';
import { sampleManifest } from './sample-manifest.js';

const bytes = encodeManifest(sampleManifest);
const headerSizeBytes = new DataView(bytes.buffer).getUint32(headField.headerSize, true);
const bodyAt = headSizeBytes + headerSizeBytes;

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

/** A file with right checksums around any header, body and head: what a foreign writer could have made. */
function rewritten(change: {
  readonly header?: (header: Record_) => unknown;
  readonly body?: (space: Record_) => unknown;
  readonly head?: (view: DataView) => void;
}): Uint8Array {
  const header = unpackValue(bytes.subarray(headSizeBytes, bodyAt)) as Record_;
  const body = unpackValue(bytes.subarray(bodyAt, bytes.length - 32)) as { spaces: Record_[] };
  const packedHeader = packValue({ ...header, ...(change.header?.(header) as object) });
  const space = { ...body.spaces[0], ...(change.body?.(body.spaces[0]) as object) };
  const packedBody = packValue({ spaces: [space] });
  const head = new Uint8Array(bytes.slice(0, headSizeBytes));
  const view = new DataView(head.buffer);
  view.setUint32(headField.headerSize, packedHeader.length, true);
  view.setBigUint64(headField.bodySize, BigInt(packedBody.length), true);
  change.head?.(view);
  const crc = crc32c(packedHeader, crc32c(head.subarray(0, headField.crc)));
  view.setUint32(headField.crc, crc, true);
  const before = Buffer.concat([head, packedHeader, packedBody]);
  return Buffer.concat([before, createHash('sha256').update(before).digest()]);
}

test('any flipped bit is an error, never a value', () => {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const copy = new Uint8Array(bytes);
    copy[bit >> 3] ^= 1 << (bit & 7);
    expect(thrownBy(() => decodeManifest(copy))).toBeInstanceOf(ParsError);
  }
});

test('a flipped bit in head or header never gives a header', () => {
  for (let bit = 0; bit < bodyAt * 8; bit++) {
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
      decodeManifest(bytes.subarray(0, size)),
    );
  }
});

test('bytes after the end are an error', () => {
  expectRefused('corrupt', /the file ends here, expected/, () =>
    decodeManifest(Buffer.concat([bytes, Buffer.alloc(1)])),
  );
});

test('random bytes are an error, never a value', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      expect(thrownBy(() => decodeManifest(noise))).toBeInstanceOf(ParsError);
    }),
  );
});

test('what is rewritten without a change is read', () => {
  expect(decodeManifest(rewritten({})).header.vm).toBe('web-1');
});

test('another version is refused by number before anything else is believed', () => {
  const file = rewritten({
    head: (view) => {
      view.setUint16(headField.version, 2, true);
      view.setUint32(headField.headerSize, 0xffffffff, true);
    },
  });
  expectRefused('unsupported', /manifest version 2, this program reads 1/, () =>
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

test('an unknown required feature is refused by name, even where the header has another shape', () => {
  const file = rewritten({ header: () => ({ requiredFeatures: ['chains', 'tape'], packs: 5 }) });
  expectRefused('unsupported', /requires chains, tape, which this program does not know/, () =>
    decodeManifestHeader(file),
  );
});

test('keys that are not known are passed over', () => {
  const file = rewritten({ header: () => ({ colour: 'green' }), body: () => ({ speed: 1 }) });
  expect(decodeManifest(file).header).not.toHaveProperty('colour');
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
  const bodyTooLarge = rewritten({
    head: (view) => {
      view.setBigUint64(headField.bodySize, BigInt(maxBodySizeBytes) + 1n, true);
    },
  });
  expectRefused('corrupt', /at byte 16: a body of 1073741825 bytes, at most/, () =>
    decodeManifestHeader(bodyTooLarge),
  );
});

test('MessagePack that does not parse is refused where it begins', () => {
  const broken = new Uint8Array(bytes);
  broken[bodyAt] = 0xc1;
  const hash = createHash('sha256').update(broken.subarray(0, -32)).digest();
  broken.set(hash, broken.length - 32);
  expectRefused('corrupt', new RegExp(`at byte ${bodyAt}: `), () => decodeManifest(broken));
});

test.each<[string, RegExp, Parameters<typeof rewritten>[0]]>([
  ['a pack without a size', /packs\.0\.sizeBytes/, { header: () => ({ packs: [{ name: 'a' }] }) }],
  [
    'a pack name that leaves the store',
    /packs\.0\.name: expected a store name/,
    { header: () => ({ packs: [{ name: 'a/../b', sizeBytes: 100, replication: 1 }] }) },
  ],
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
  ['pages of another size', /spaces\.0\.pageSizeBytes/, { body: () => ({ pageSizeBytes: 8192 }) }],
  [
    'a column that is shorter than its count',
    /space ram: frames\.window takes 16 bytes, expected 20/,
    { body: () => ({ frameCount: 5 }) },
  ],
  [
    'a count beyond all limits',
    /spaces\.0\.labelRunCount/,
    { body: () => ({ labelRunCount: 2 ** 32 }) },
  ],
  [
    'a column that is no bytes',
    /pageHashes: expected bytes/,
    { body: () => ({ pageHashes: 'x' }) },
  ],
])('%s is refused', (_, message, change) => {
  expectRefused('corrupt', message, () => decodeManifest(rewritten(change)));
});
