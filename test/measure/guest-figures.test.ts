// The figures of a real guest's memory, held against an upload of it, against the compressors as programs, against exact
// hashes, and against what the manifest alone says.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers, pageClasses } from '../../introspect/page-class.js';
import { parseDiskArgument } from '../../src/disk/guest-disks.js';
import { notStoredOf } from '../../src/manifest/space/spaces.js';
import type { Manifest } from '../../src/manifest/types.js';
import { figuresOfManifest } from '../../src/measure/figures-of-manifest.js';
import { measureImage, type PolicyToMeasure } from '../../src/measure/measure-image.js';
import { namedPolicies, type PolicyName, policyNames } from '../../src/plan/policy.js';
import type { ImageFigures, LabelFigures } from '../../src/report/model/image-figures.js';
import { holdOnDisk } from '../../src/snapshot/prepare/hold-on-disk.js';
import {
  labelImage,
  type LabelledImage,
  openImageWithState,
} from '../../src/snapshot/prepare/open-image.js';
import { takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import { fixtureGuest } from '../guest/fixtures.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import { sliceOf } from '../slice.js';
import { withStore } from '../store/local/disk-folders.js';
import { compressedBytes, testWith } from './programs.js';
import { packsByReplication } from './stored-packs.js';

const setUpTimeoutMs = 300_000;
const tolerance = 0.01;
const zeroPage = Buffer.alloc(pageSizeBytes);

let guest: SnapshotFixture;
let image: LabelledImage;
const policies = new Map<PolicyName, PolicyToMeasure & Pick<LabelledImage, 'map'>>();
let figures: ImageFigures;
/** By page of the image. */
let isZero: Uint8Array;
/** The hashes of all pages that are not zero. */
const hashes = new Set<string>();

beforeAll(async () => {
  guest = await fixtureGuest('aged');
  image = labelImage(openImageWithState(guest.ramPath, {}));
  for (const name of policyNames) {
    const { policy, heldLabels } = namedPolicies[name];
    const disks = heldLabels.length === 0 ? [] : [parseDiskArgument(`vda=${guest.diskPath}`)];
    const { map } = await holdOnDisk(image, heldLabels, disks, {
      signal: new AbortController().signal,
      onProgress: () => undefined,
      warn: () => undefined,
    });
    policies.set(name, { name, map, policy });
  }
  isZero = new Uint8Array(image.map.labels.length);
  const bytes = readFileSync(guest.ramPath);
  for (let page = 0; page < isZero.length; page++) {
    const content = bytes.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes);
    if (content.equals(zeroPage)) {
      isZero[page] = 1;
    } else {
      hashes.add(createHash('sha512').update(content).digest('base64'));
    }
  }
  figures = await measureImage(image.memory, image.map, [...policies.values()]);
}, setUpTimeoutMs);

afterAll(() => {
  // The guest may have failed to boot, whatever the type says.
  (image as LabelledImage | undefined)?.close();
});

async function upload(name: PolicyName, codec: 'lz4' | 'zstd:3'): Promise<Manifest> {
  const measured = policies.get(name);
  if (measured === undefined) {
    throw new Error(`${name} was not measured`);
  }
  let manifest: Manifest | undefined;
  await withStore(async ({ store }) => {
    const { map, policy } = measured;
    const request = { store, memory: image.memory, map, policy, codec, vm: 'aged' };
    ({ manifest } = await takeSnapshot(request));
  });
  if (manifest === undefined) {
    throw new Error('nothing was uploaded');
  }
  return manifest;
}

describe.each(sliceOf(policyNames, 2))('policy %s', (name) => {
  let manifest: Manifest;
  let measured: ImageFigures['policies'][number] | undefined;
  beforeAll(async () => {
    manifest = await upload(name, 'lz4');
    measured = figures.policies.find(({ policy }) => policy === name);
  });

  test('the packs are to the byte those that an upload writes, by lz4 and by zstd', async () => {
    const byLz4 = packsByReplication(manifest);
    const byZstd = packsByReplication(await upload(name, 'zstd:3'));
    expect(byLz4.length).toBeGreaterThan(0);
    expect(measured?.replications).toEqual(
      byLz4.map((figures, index) => ({
        ...figures,
        zstdPackedBytes: byZstd[index].packedBytes,
      })),
    );
  });

  test('the manifest alone says the same of what it knows', () => {
    const known = figuresOfManifest(manifest);
    // A manifest says how long packs are, and not how long they would be by another codec.
    expect(known.policies).toEqual([
      {
        ...measured,
        replications: measured?.replications.map((ofOne) => ({
          ...ofOne,
          zstdPackedBytes: undefined,
        })),
      },
    ]);
    expect(known).toMatchObject({
      imageSizeBytes: figures.imageSizeBytes,
      pageCount: figures.pageCount,
    });
    const notStored = new Set(notStoredOf(manifest.spaces[0]));
    const { labels } = policies.get(name)?.map ?? image.map;
    expect(known.labels).toEqual(
      countedLabels(labels).map((entry) =>
        notStored.has(labelNumbers[entry.label]) ? { ...entry, zeroPageCount: undefined } : entry,
      ),
    );
  });
});

/** Counted page by page. */
function countedLabels(labels: Uint8Array): readonly LabelFigures[] {
  const counts = pageClasses.map(({ label }) => ({ label, pageCount: 0, zeroPageCount: 0 }));
  labels.forEach((number, page) => {
    counts[number].pageCount++;
    if (isZero[page] === 1) {
      counts[number].zeroPageCount++;
    }
  });
  return counts.filter(({ pageCount }) => pageCount > 0);
}

test('pages are counted by label, zero ones apart', () => {
  expect(figures.labels).toEqual(countedLabels(image.map.labels));
});

test('different pages are those of a set of strong hashes, the zero page left out', () => {
  expect(figures.uniquePageCount).toBe(hashes.size);
});

testWith('lz4')(
  'the file under lz4 is as long as the program lz4 makes it, within 1 %',
  async () => {
    const expected = await compressedBytes('lz4', [], guest.ramPath);
    expect(Math.abs((figures.lz4Bytes ?? 0) / expected - 1)).toBeLessThan(tolerance);
  },
);

testWith('zstd')(
  'the file under zstd is as long as the program zstd makes it, within 1 %',
  async () => {
    const expected = await compressedBytes('zstd', ['-3'], guest.ramPath);
    expect(Math.abs((figures.zstdBytes ?? 0) / expected - 1)).toBeLessThan(tolerance);
  },
);
