import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { decodeManifest, decodeManifestHeader } from '../../src/manifest/decode.js';
import { encodeManifestHeader } from '../../src/manifest/encode.js';
import { codedPacksFeature } from '../../src/manifest/layout.js';
import { packName } from '../../src/manifest/pack-name.js';
import type { DiskSpace, Manifest } from '../../src/manifest/types.js';
import { identityOfV1 } from '../../src/pack/frame-identity.js';
import { maskPageCount } from '../../src/pack/mask.js';
import { parseErasureCode, reedSolomon } from '../../src/store/redundancy.js';
import {
  healingKeys,
  sampleId,
  sampleManifest,
  sampleRam,
  sampleWithDisk,
} from './sample-manifest.js';
import { expectSame, plain, readBack, written } from './written.js';

/** Random regions, label runs and frames that hang together as they must. */
const manifests: fc.Arbitrary<Manifest> = fc
  .record({
    runs: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 300 })), { maxLength: 20 }),
    masks: fc.array(fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)), { maxLength: 100 }),
    startPage: fc.nat(2 ** 40),
    packCount: fc.integer({ min: 1, max: 40 }),
    guest: fc.option(fc.record({ release: fc.string({ unit: 'grapheme' }), buildId: fc.string() })),
    evidence: fc.string({ unit: 'grapheme', maxLength: 300 }),
    createdMs: fc.maxSafeNat(),
  })
  .map(({ runs, masks, startPage, packCount, ...header }) => {
    const pageCount = runs.reduce((sum, [, count]) => sum + count, 0);
    const legend = ['a', 'b', 'c'];
    const labelCounts: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (const [label, count] of runs) {
      labelCounts[legend[label]] += count;
    }
    let page = 0;
    const firstPage = runs.map(([, count]) => (page += count) - count);
    const places = masks
      .slice(0, Math.floor(pageCount / 64))
      .map(([low, high], window) => ({ window, low, high }))
      .filter(({ low, high }) => (low | high) !== 0);
    const column = (value: (place: (typeof places)[number], index: number) => number) =>
      Uint32Array.from(places.map(value));
    return {
      header: {
        ...sampleManifest.header,
        ...header,
        packs: Array.from({ length: packCount }, (_, index) => ({
          name: packName(sampleId, index),
          sizeBytes: 2 ** 20,
          ...(index % 3 === 2
            ? { code: reedSolomon(3 + (index % 5), 2) }
            : { replication: 1 + (index % 10) }),
        })),
        requiredFeatures: packCount > 2 ? [codedPacksFeature] : [],
        legend,
        labelCounts,
        imageSizeBytes: pageCount * 4096,
      },
      frames: {
        pack: column((_, index) => index % packCount),
        offset: column((_, index) => 32 + index * 33),
        length: column(() => 33),
        identity: column((_, index) => Math.imul(index, 0x9e37_79b1) >>> 0),
        pageCount: Uint8Array.from(places, ({ low, high }) => maskPageCount(low, high)),
      },
      spaces: [
        {
          kind: 'ram' as const,
          name: 'ram',
          pageSizeBytes: 4096,
          regions:
            pageCount === 0 ? [] : [{ start: startPage * 4096, sizeBytes: pageCount * 4096 }],
          labelRuns: {
            label: Uint8Array.from(runs.map(([label]) => label)),
            firstPage: Uint32Array.from(firstPage),
            pageCount: Uint32Array.from(runs.map(([, count]) => count)),
          },
          places: {
            window: column(({ window }) => window),
            maskLow: column(({ low }) => low),
            maskHigh: column(({ high }) => high),
            frame: column((_, index) => index),
            slot: new Uint8Array(places.length),
          },
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
  .map(({ manifest: { header, frames, spaces }, disks, isStored }) => {
    const diskSpaces = disks.map((disk): DiskSpace => {
      const pageCount = Math.ceil(disk.sizeBytes / 4096);
      const windows = Array.from({ length: Math.ceil(pageCount / 64) }, (_, window) => window);
      const window = Uint32Array.from(windows.filter((index) => isStored(disk.name, index)));
      return {
        kind: 'disk',
        name: `disk-${disk.name}`,
        pageSizeBytes: 4096,
        regions: [{ start: 0, sizeBytes: pageCount * 4096 }],
        labelRuns: {
          label: Uint8Array.of(3),
          firstPage: Uint32Array.of(0),
          pageCount: Uint32Array.of(pageCount),
        },
        // Whatever page that is: one stored page may stand in many places.
        places: {
          window: frames.pack.length === 0 ? new Uint32Array() : window,
          maskLow: frames.pack.length === 0 ? new Uint32Array() : window.map(() => 1),
          maskHigh: frames.pack.length === 0 ? new Uint32Array() : window.map(() => 0),
          frame:
            frames.pack.length === 0
              ? new Uint32Array()
              : window.map((index) => index % frames.pack.length),
          slot: new Uint8Array(frames.pack.length === 0 ? 0 : window.length),
        },
        disk,
      };
    });
    const diskPages = diskSpaces.reduce((sum, space) => sum + space.regions[0].sizeBytes / 4096, 0);
    return {
      header: {
        ...header,
        legend: [...header.legend, 'disk'],
        labelCounts: { ...header.labelCounts, disk: diskPages },
      },
      frames,
      spaces: [...spaces, ...diskSpaces],
    };
  });

test('a manifest with disks comes back as it was written', () => {
  expectSame(readBack(written(sampleWithDisk)), inPackOrder(sampleWithDisk));
  fc.assert(
    fc.property(manifestsWithDisks, (manifest) => {
      expectSame(readBack(written(manifest)), inPackOrder(manifest));
    }),
    { numRuns: 100 },
  );
});

test('a manifest comes back as it was written', () => {
  expectSame(readBack(written(sampleManifest)), inPackOrder(sampleManifest));
  fc.assert(
    fc.property(manifests, (manifest) => {
      expectSame(readBack(written(manifest)), inPackOrder(manifest));
    }),
    { numRuns: 150 },
  );
});

/** Frames are written by pack and offset; their order says nothing. */
function inPackOrder(manifest: Manifest): Manifest {
  const { frames, spaces } = manifest;
  const order = [...frames.pack.keys()].sort(
    (a, b) => frames.pack[a] - frames.pack[b] || frames.offset[a] - frames.offset[b],
  );
  const pick = (column: Uint32Array): Uint32Array => Uint32Array.from(order, (at) => column[at]);
  return {
    ...manifest,
    frames: {
      pack: pick(frames.pack),
      offset: pick(frames.offset),
      length: pick(frames.length),
      identity: pick(frames.identity),
      pageCount: Uint8Array.from(order, (at) => frames.pageCount[at]),
    },
    spaces: spaces.map((space) => ({
      ...space,
      places: { ...space.places, frame: space.places.frame.map((frame) => order.indexOf(frame)) },
    })),
  };
}

test('what healing needs comes back as it was written', () => {
  const manifest: Manifest = { ...sampleManifest, spaces: [{ ...sampleRam, ...healingKeys }] };
  expectSame(readBack(written(manifest)), inPackOrder(manifest));
});

test('a manifest says what it was made after', () => {
  const { header } = sampleManifest;
  const parent = '0123456789abcdef';
  expect(
    readBack(written({ ...sampleManifest, header: { ...header, parent } })).header.parent,
  ).toBe(parent);
});

test('the header is read from the first bytes, asking for more when they do not suffice', () => {
  const { file } = written(sampleManifest);
  const none = decodeManifestHeader(file.subarray(0, 10));
  expect(none).toEqual({ kind: 'incomplete', neededBytes: 64 });
  const head = decodeManifestHeader(file.subarray(0, 64));
  if (head.kind !== 'incomplete') {
    throw new Error('64 bytes cannot hold a header');
  }
  expect(head.neededBytes).toBeLessThan(file.length);
  const short = decodeManifestHeader(file.subarray(0, head.neededBytes - 1));
  expect(short).toEqual(head);
  const enough = decodeManifestHeader(file.subarray(0, head.neededBytes));
  expect(enough).toMatchObject({ kind: 'complete', fileSizeBytes: file.length });
  expect(enough).toEqual(decodeManifestHeader(file));
});

test('sizes are exact up to 2^53', () => {
  const sizeBytes = Number.MAX_SAFE_INTEGER;
  const attachments = [{ ...sampleManifest.header.attachments[0], sizeBytes }];
  const read = readBack(
    written({ ...sampleManifest, header: { ...sampleManifest.header, attachments } }),
  );
  expect(read.header.attachments[0].sizeBytes).toBe(sizeBytes);
});

const identity = {
  uuid: 'd47c9da9-3465-4119-8831-c70d4113f209',
  id: 'proxmox:105',
  host: 'node-1.example',
};

function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
}

/** What the files of version 1 say: names of before, and no more of a frame than its place. */
function sampleV1(): Manifest {
  const { header, frames } = sampleManifest;
  const { window, maskLow, maskHigh } = sampleRam.places;
  const [critical, expendable] = header.packs;
  return {
    ...sampleManifest,
    header: {
      ...header,
      id: '2026-11-21T02.00.00Z-7f3a',
      packs: [
        { ...critical, name: 'web-1/packs/critical-0' },
        { ...expendable, name: 'web-1/packs/expendable-0' },
      ],
      pageHashes: [],
      attachments: [{ ...header.attachments[0], name: 'web-1/state' }],
    },
    frames: {
      ...frames,
      length: Uint32Array.of(90_000, 8000, 190_000, 8224),
      identity: window.map((index, at) => identityOfV1(0, index, maskLow[at], maskHigh[at])),
    },
  };
}

// Bytes written by version 1, kept for ever: a program that cannot read them cannot read old snapshots.
test('a version 1 manifest is read', () => {
  expect(plain(decodeManifest(fixture('manifest-v1.bin'), []))).toEqual(plain(sampleV1()));
});

// With the identity that manifests came to have.
test('a version 1 manifest that says which VM it is of is read', () => {
  const sample = sampleV1();
  expect(plain(decodeManifest(fixture('manifest-v1-identity.bin'), []))).toEqual(
    plain({ ...sample, header: { ...sample.header, identity } }),
  );
});

// Bytes of version 2, kept likewise.
test('a version 2 manifest is read, and its own file written the same to the byte', () => {
  const manifest: Manifest = {
    header: { ...sampleWithDisk.header, identity, parent: '0123456789abcdef' },
    frames: inPackOrder(sampleWithDisk).frames,
    spaces: inPackOrder({
      ...sampleWithDisk,
      spaces: [{ ...sampleRam, ...healingKeys }, ...sampleWithDisk.spaces.slice(1)],
    }).spaces,
  };
  const golden = { file: fixture('manifest-v2.bin'), body: fixture('body-v2.bin') };
  const read = readBack(golden);
  expectSame(read, manifest);
  // How DEFLATE packs the body is the packer's affair; the header names it by its hash.
  expect(Buffer.from(encodeManifestHeader(read.header)).equals(golden.file)).toBe(true);
  expectSame(readBack(written(manifest)), manifest);
});

/** As the sample, with its critical packs in a code of another cell. */
function sampleCoded(): Manifest {
  const { header } = sampleManifest;
  const [critical, expendable] = header.packs;
  const code = parseErasureCode('rs-6-3-512k');
  if (code === undefined) {
    throw new Error('expected a code');
  }
  return inPackOrder({
    ...sampleManifest,
    header: {
      ...header,
      requiredFeatures: [codedPacksFeature],
      packs: [{ name: critical.name, sizeBytes: critical.sizeBytes, code }, expendable],
    },
  });
}

// Bytes of version 2 with the feature, kept likewise.
test('a manifest with packs in an erasure code is read, and written the same to the byte', () => {
  const golden = { file: fixture('manifest-v2-coded.bin'), body: fixture('body-v2-coded.bin') };
  const read = readBack(golden);
  expectSame(read, sampleCoded());
  expect(Buffer.from(encodeManifestHeader(read.header)).equals(golden.file)).toBe(true);
  expectSame(readBack(written(sampleCoded())), sampleCoded());
});

test('packs in an erasure code that no feature announces are neither written nor read', () => {
  const { header, ...rest } = sampleCoded();
  const silent = { ...header, requiredFeatures: [] };
  expect(() => written({ ...rest, header: silent })).toThrow(/coded-packs is not required/);
  const { file } = written(sampleCoded());
  const unannounced = encodeManifestHeader({ ...decoded(file).header, requiredFeatures: [] });
  expect(() => decodeManifestHeader(unannounced)).toThrow(/neither copies nor, with the feature/);
});

function decoded(file: Uint8Array) {
  const result = decodeManifestHeader(file);
  if (result.kind !== 'complete') {
    throw new Error('expected a whole header');
  }
  return result;
}

test.each([
  ['nothing', {}],
  ['a space', { id: 'a b' }],
  ['a control character', { host: 'a\x1b[2J' }],
  ['more than 128 characters', { uuid: 'x'.repeat(129) }],
])('an identity of %s is refused', (_, wrong) => {
  const header = { ...sampleManifest.header, identity: wrong };
  expect(() => written({ ...sampleManifest, header })).toThrow(/identity/);
});
