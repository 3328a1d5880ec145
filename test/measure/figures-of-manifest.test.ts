// What a manifest alone says of its image, held against what measuring the image says.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImageView } from '../../introspect/memory/image-view.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { disksOf, ramOf } from '../../src/manifest/space/spaces.js';
import type { Manifest, ManifestHeader } from '../../src/manifest/types.js';
import { figuresOfManifest } from '../../src/measure/figures-of-manifest.js';
import { measureImage } from '../../src/measure/measure-image.js';
import { buildPolicy, namedPolicies, type PolicyName } from '../../src/plan/policy.js';
import type { ImageFigures } from '../../src/report/model/image-figures.js';
import { type SnapshotRequest, takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import { noisePage } from '../pack/sample-pages.js';
import { withStore } from '../store/local/disk-folders.js';
import { madeMap, madeMemory } from './made-memory.js';

type Taken = Pick<SnapshotRequest, 'memory' | 'map' | 'policy'>;

const made: Taken = {
  memory: madeMemory,
  map: madeMap,
  policy: namedPolicies.strict.policy,
};

/** With a disk beside the memory: a page of noise, a page of zeroes, and a hole. */
async function manifestOf(taken: Taken): Promise<Manifest> {
  let manifest: Manifest | undefined;
  await withStore(async ({ store, folder }) => {
    const path = join(folder, 'vda.img');
    writeFileSync(path, Buffer.concat([noisePage(77), Buffer.alloc(300 * pageSizeBytes)]));
    const disks = [{ name: 'vda', path, sourcePath: path, sourceFormat: 'raw' }];
    ({ manifest } = await takeSnapshot({ ...taken, store, vm: 'made', disks, codec: 'lz4' }));
  });
  if (manifest === undefined) {
    throw new Error('nothing was stored');
  }
  return manifest;
}

/** By the codec that manifests here are stored by, and no other. */
async function measured(policy: PolicyName, { memory, map }: Taken = made): Promise<ImageFigures> {
  const { policy: copies } = namedPolicies[policy];
  const figures = await measureImage(memory, map, [{ name: policy, map, policy: copies }]);
  return {
    ...figures,
    policies: figures.policies.map(({ policy: name, replications }) => ({
      policy: name,
      replications: replications.map((entry) => ({ ...entry, zstdPackedBytes: undefined })),
    })),
  };
}

function withHeader(manifest: Manifest, change: Partial<ManifestHeader>): Manifest {
  return { ...manifest, header: { ...manifest.header, ...change } };
}

let strict: Manifest;
beforeAll(async () => {
  strict = await manifestOf(made);
});

test('strict: pages, zero pages and packs are those of the image, and the disk stored with it is left out', async () => {
  expect(strict.spaces).toHaveLength(2);
  expect(figuresOfManifest(strict)).toEqual({
    ...(await measured('strict')),
    uniquePageCount: undefined,
    lz4Bytes: undefined,
    zstdBytes: undefined,
  });
});

test('lean: of pages that are not stored nobody says which are zero', async () => {
  const lean = figuresOfManifest(await manifestOf({ ...made, policy: namedPolicies.lean.policy }));
  const { policies, labels } = await measured('lean');
  expect(lean.policies).toEqual(policies);
  expect(lean.labels).toEqual(
    labels.map((entry) =>
      entry.label === 'free' ? { ...entry, zeroPageCount: undefined } : entry,
    ),
  );
});

test('a disk was compared with the pages: the policy is disk, although strict stores alike', () => {
  const ram = ramOf(strict);
  if (ram === undefined) {
    throw new Error('no RAM was stored');
  }
  const none = new Uint8Array(0);
  const diskHeld = {
    disks: [{ name: 'vda', sizeBytes: 2 ** 20 }],
    page: new Uint32Array(0),
    disk: none,
    offsetBytes: new Float64Array(0),
    hash: none,
  };
  const compared = { ...strict, spaces: [{ ...ram, diskHeld }, ...disksOf(strict)] };
  expect(figuresOfManifest(compared).policies.map(({ policy }) => policy)).toEqual(['disk']);
});

test('a policy without a name gives none', async () => {
  const policy = buildPolicy({ replication: { free: 2 } }, { allowWeakCritical: false });
  const manifest = await manifestOf({ ...made, policy });
  expect(figuresOfManifest(manifest)).toMatchObject({
    policies: [],
    labels: figuresOfManifest(strict).labels,
  });
});

test('a pack of zero pages alone is counted although no frame lies in it', async () => {
  const regions = [{ gpaStart: 0, sizeBytes: 128 * pageSizeBytes, imageOffset: 0 }];
  const page = noisePage(5);
  const memory = new ImageView(regions, (offset, target) => {
    for (let at = 0; at < target.length; at += pageSizeBytes) {
      const isFree = offset + at >= 64 * pageSizeBytes;
      target.subarray(at, at + pageSizeBytes).set(isFree ? new Uint8Array(pageSizeBytes) : page);
    }
  });
  const labels = Uint8Array.from({ length: 128 }, (_, index) =>
    index < 64 ? labelNumbers.anon : labelNumbers.free,
  );
  const taken = { ...made, memory, map: { ...madeMap, regions, labels } };
  const { policies } = await measured('strict', taken);
  expect(policies[0].replications).toContainEqual({
    replication: 1,
    nonZeroPageCount: 0,
    packedBytes: 32,
    zstdPackedBytes: undefined,
    packCount: 1,
  });
  expect(figuresOfManifest(await manifestOf(taken)).policies).toEqual(policies);
});

test('of a pack that an earlier snapshot wrote only the frames named here count', () => {
  const shared = withHeader(strict, {
    packs: strict.header.packs.map((pack, index) =>
      index === 0 ? { ...pack, sizeBytes: pack.sizeBytes + 2 ** 20 } : pack,
    ),
  });
  expect(figuresOfManifest(shared)).toEqual(figuresOfManifest(strict));
});

test('a label that a newer program made up counts as unknown', () => {
  const renamed = withHeader(strict, {
    legend: strict.header.legend.map((label) => (label === 'slab' ? 'brand-new' : label)),
  });
  const slab = figuresOfManifest(strict).labels.find(({ label }) => label === 'slab');
  expect(figuresOfManifest(renamed).labels[0]).toEqual({ ...slab, label: 'unknown' });
});
