import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { decodeManifest, decodeManifestHeader } from '../../src/manifest/decode.js';
import { encodeManifest } from '../../src/manifest/encode.js';
import type { AddressSpace, Manifest } from '../../src/manifest/types.js';
import { healingKeys, sampleManifest, sampleWithDisk } from './sample-manifest.js';

/** Byte columns come back as Buffers; what they hold is what counts. */
function plain(manifest: Manifest): unknown {
  return JSON.parse(
    JSON.stringify(manifest, (_, value: unknown) =>
      ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value,
    ).replaceAll(/\{"type":"Buffer","data":(\[[\d,]*\])\}/g, '$1'),
  );
}

/** Random regions, label runs and frames that hang together as they must. */
const manifests: fc.Arbitrary<Manifest> = fc
  .record({
    runs: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 300 })), { maxLength: 20 }),
    masks: fc.array(fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)), { maxLength: 100 }),
    startPage: fc.nat(2 ** 40),
    withHashes: fc.boolean(),
    packCount: fc.integer({ min: 1, max: 40 }),
    guest: fc.option(fc.record({ release: fc.string({ unit: 'grapheme' }), buildId: fc.string() })),
    evidence: fc.string({ unit: 'grapheme', maxLength: 300 }),
    createdMs: fc.maxSafeNat(),
  })
  .map(({ runs, masks, startPage, withHashes, packCount, ...header }) => {
    const pageCount = runs.reduce((sum, [, count]) => sum + count, 0);
    const legend = ['a', 'b', 'c'];
    const labelCounts: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (const [label, count] of runs) labelCounts[legend[label]] += count;
    let page = 0;
    const firstPage = runs.map(([, count]) => (page += count) - count);
    const frames = masks
      .slice(0, Math.floor(pageCount / 64))
      .map(([low, high], window) => ({ window, low, high }))
      .filter(({ low, high }) => (low | high) !== 0);
    const column = (value: (frame: (typeof frames)[number], index: number) => number) =>
      Uint32Array.from(frames.map(value));
    return {
      header: {
        ...sampleManifest.header,
        ...header,
        packs: Array.from({ length: packCount }, (_, index) => ({
          name: `packs/${index}`,
          sizeBytes: 2 ** 20,
          replication: 1 + (index % 10),
        })),
        legend,
        labelCounts,
        imageSizeBytes: pageCount * 4096,
      },
      spaces: [
        {
          name: 'ram',
          pageSizeBytes: 4096,
          regions:
            pageCount === 0 ? [] : [{ start: startPage * 4096, sizeBytes: pageCount * 4096 }],
          labelRuns: {
            label: Uint8Array.from(runs.map(([label]) => label)),
            firstPage: Uint32Array.from(firstPage),
            pageCount: Uint32Array.from(runs.map(([, count]) => count)),
          },
          frames: {
            window: column(({ window }) => window),
            maskLow: column(({ low }) => low),
            maskHigh: column(({ high }) => high),
            offset: column((_, index) => 32 + index * 33),
            length: column(() => 33),
            pack: column((_, index) => index % packCount),
          },
          pageHashes: withHashes ? new Uint8Array(pageCount * 8).fill(7) : null,
        },
      ],
    };
  });

/** Any disks beside such RAM, a frame for some of their windows. */
const manifestsWithDisks: fc.Arbitrary<Manifest> = fc
  .record({
    manifest: manifests,
    disks: fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/),
        sourcePath: fc.string({ unit: 'grapheme', maxLength: 200 }),
        sourceFormat: fc.constantFrom('raw', 'qcow2', 'host-device'),
        sizeBytes: fc.integer({ min: 1, max: 2 ** 24 }),
      }),
      { minLength: 1, maxLength: 5, selector: ({ name }) => name },
    ),
    isStored: fc.func(fc.boolean()),
  })
  .map(({ manifest: { header, spaces }, disks, isStored }) => {
    const diskSpaces = disks.map((disk): AddressSpace => {
      const pageCount = Math.ceil(disk.sizeBytes / 4096);
      const windows = Array.from({ length: Math.ceil(pageCount / 64) }, (_, window) => window);
      const window = Uint32Array.from(windows.filter((index) => isStored(disk.name, index)));
      return {
        name: `disk-${disk.name}`,
        pageSizeBytes: 4096,
        regions: [{ start: 0, sizeBytes: pageCount * 4096 }],
        labelRuns: {
          label: Uint8Array.of(3),
          firstPage: Uint32Array.of(0),
          pageCount: Uint32Array.of(pageCount),
        },
        frames: {
          window,
          maskLow: window.map(() => 1),
          maskHigh: window.map(() => 0),
          offset: window.map((_, index) => 32 + index * 33),
          length: window.map(() => 33),
          pack: window.map(() => 0),
        },
        pageHashes: null,
        disk,
      };
    });
    const diskPages = diskSpaces.reduce((sum, space) => sum + space.regions[0].sizeBytes / 4096, 0);
    return {
      header: {
        ...header,
        requiredFeatures: ['disks'],
        legend: [...header.legend, 'disk'],
        labelCounts: { ...header.labelCounts, disk: diskPages },
      },
      spaces: [...spaces, ...diskSpaces],
    };
  });

test('a manifest with disks comes back as it was written', () => {
  expect(plain(decodeManifest(encodeManifest(sampleWithDisk)))).toEqual(plain(sampleWithDisk));
  fc.assert(
    fc.property(manifestsWithDisks, (manifest) => {
      expect(plain(decodeManifest(encodeManifest(manifest)))).toEqual(plain(manifest));
    }),
    { numRuns: 100 },
  );
});

test('a manifest comes back as it was written', () => {
  expect(plain(decodeManifest(encodeManifest(sampleManifest)))).toEqual(plain(sampleManifest));
  fc.assert(
    fc.property(manifests, (manifest) => {
      expect(plain(decodeManifest(encodeManifest(manifest)))).toEqual(plain(manifest));
    }),
    { numRuns: 150 },
  );
});

test('what healing needs comes back as it was written', () => {
  const { header, spaces } = sampleManifest;
  const manifest: Manifest = {
    header: { ...header, requiredFeatures: ['not-stored'] },
    spaces: [{ ...spaces[0], ...healingKeys }],
  };
  const read = decodeManifest(encodeManifest(manifest));
  expect(read.spaces[0].healing).toEqual(healingKeys.healing);
  expect(plain(withoutFacts(read))).toEqual(plain(withoutFacts(manifest)));
});

/** JSON has no integers of 64 bits. */
function withoutFacts(manifest: Manifest): Manifest {
  return {
    ...manifest,
    spaces: manifest.spaces.map((space) => ({ ...space, healing: undefined })),
  };
}

test('the header is read from the first bytes, asking for more when they do not suffice', () => {
  const bytes = encodeManifest(sampleManifest);
  const none = decodeManifestHeader(bytes.subarray(0, 10));
  expect(none).toEqual({ kind: 'incomplete', neededBytes: 64 });
  const head = decodeManifestHeader(bytes.subarray(0, 64));
  if (head.kind !== 'incomplete') throw new Error('64 bytes cannot hold a header');
  expect(head.neededBytes).toBeLessThan(bytes.length);
  const short = decodeManifestHeader(bytes.subarray(0, head.neededBytes - 1));
  expect(short).toEqual(head);
  const enough = decodeManifestHeader(bytes.subarray(0, head.neededBytes));
  expect(enough).toMatchObject({ kind: 'complete', fileSizeBytes: bytes.length });
  expect(enough).toEqual(decodeManifestHeader(bytes));
});

test('sizes are exact up to 2^53', () => {
  const sizeBytes = Number.MAX_SAFE_INTEGER;
  const attachments = [{ ...sampleManifest.header.attachments[0], sizeBytes }];
  const bytes = encodeManifest({
    ...sampleManifest,
    header: { ...sampleManifest.header, attachments },
  });
  expect(decodeManifest(bytes).header.attachments[0].sizeBytes).toBe(sizeBytes);
});

const identified: Manifest = {
  ...sampleManifest,
  header: {
    ...sampleManifest.header,
    identity: {
      uuid: 'd47c9da9-3465-4119-8831-c70d4113f209',
      id: 'proxmox:105',
      host: 'node-1.example',
    },
  },
};

// Bytes written by version 1, kept for ever: a program that cannot read this file cannot read old snapshots.
const golden = new Uint8Array(
  readFileSync(new URL('../fixtures/manifest-v1.bin', import.meta.url)),
);

test('a version 1 manifest is read', () => {
  expect(plain(decodeManifest(golden))).toEqual(plain(sampleManifest));
});

test('a manifest is written as version 1 wrote it', () => {
  expect(Buffer.from(encodeManifest(sampleManifest)).equals(golden)).toBe(true);
});

// With the identity that manifests have had since then.
const goldenIdentity = new Uint8Array(
  readFileSync(new URL('../fixtures/manifest-v1-identity.bin', import.meta.url)),
);

test('a manifest that says which VM it is of is read, and written the same to the byte', () => {
  expect(plain(decodeManifest(goldenIdentity))).toEqual(plain(identified));
  expect(Buffer.from(encodeManifest(identified)).equals(goldenIdentity)).toBe(true);
});

test.each([
  ['nothing', {}],
  ['a space', { id: 'a b' }],
  ['a control character', { host: 'a\x1b[2J' }],
  ['more than 128 characters', { uuid: 'x'.repeat(129) }],
])('an identity of %s is refused', (_, identity) => {
  const { header, spaces } = sampleManifest;
  expect(() => encodeManifest({ header: { ...header, identity }, spaces })).toThrow(/identity/);
});
