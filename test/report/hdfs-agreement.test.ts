// What the report computes for bytes on disk is what a real HDFS counts: the NameNode's spaceConsumed, and the block
// files in the DataNodes' folders. The sizes end on no border of a stripe, a block or a chunk.

import { randomFillSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compressFrameSync } from 'lz4-napi';
import { loadManifest } from '../../src/catalog/catalog.js';
import { readPlacement, type StoredSnapshot } from '../../src/measure/read-placement.js';
import { storedBytesOf } from '../../src/report/model/cost.js';
import type { Part } from '../../src/report/model/report.js';
import { openStore } from '../../src/store/open-store.js';
import {
  blockCountOf,
  copies,
  type Redundancy,
  reedSolomon,
  storedBytes,
} from '../../src/store/redundancy.js';
import { uploadAnswer } from '../e2e/command-answers.js';
import { clusterStartTimeoutMs } from '../e2e/hdfs-cluster.js';
import { expectPars } from '../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { type HdfsCluster, startHdfs } from '../hdfs/cluster.js';
import {
  blockBytesOnDisks,
  makeCodedFolder,
  makeFolder,
  putFile,
  spaceConsumed,
} from '../hdfs/files-on-hdfs.js';
import { sliceOf } from '../slice.js';

const setUpTimeoutMs = clusterStartTimeoutMs + 300_000;
const blockSettledMs = 10_000;
const mebibyte = 2 ** 20;
/** Small, so that files of some MiB have several. */
const blockSizeBytes = 4 * mebibyte;
/** As many as a group of RS-6-3 has units. */
const dataNodeCount = 9;

let cluster: HdfsCluster;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  cluster = await startHdfs({ dataNodeCount });
}, setUpTimeoutMs);

afterAll(async () => {
  await (cluster as HdfsCluster | undefined)?.close();
  await folder.remove();
});

function randomBytes(sizeBytes: number): Buffer {
  return randomFillSync(Buffer.alloc(sizeBytes));
}

/** Half of it zeroes, in pieces, as memory is. */
function compressed(): Buffer {
  const bytes = randomBytes(24 * mebibyte + 4096);
  for (let at = 0; at < bytes.length; at += 8192) {
    bytes.fill(0, at, at + 4096);
  }
  return compressFrameSync(bytes);
}

const thrice = copies(3);
const rs32 = reedSolomon(3, 2);
const rs63 = reedSolomon(6, 3);

const cases: readonly {
  readonly what: string;
  readonly redundancy: Redundancy;
  /** Undefined: not coded. */
  readonly policy?: string;
  readonly content: () => Buffer;
}[] = [
  { what: 'raw', redundancy: thrice, content: () => randomBytes(17 * mebibyte + 12_345) },
  { what: 'compressed', redundancy: thrice, content: compressed },
  {
    what: 'raw-rs32',
    redundancy: rs32,
    policy: 'RS-3-2-1024k',
    content: () => randomBytes(20 * mebibyte + 777),
  },
  { what: 'compressed-rs32', redundancy: rs32, policy: 'RS-3-2-1024k', content: compressed },
  {
    what: 'raw-rs63',
    redundancy: rs63,
    policy: 'RS-6-3-1024k',
    content: () => randomBytes(25 * mebibyte + 1),
  },
  { what: 'compressed-rs63', redundancy: rs63, policy: 'RS-6-3-1024k', content: compressed },
  {
    what: 'smaller-than-a-cell-rs63',
    redundancy: rs63,
    policy: 'RS-6-3-1024k',
    content: () => randomBytes(mebibyte / 3),
  },
];

test.each(sliceOf(cases, 5))(
  '$what: the NameNode and the disks count what is computed',
  async ({ what, redundancy, policy, content }) => {
    const bytes = content();
    const local = join(folder.path, what);
    await writeFile(local, bytes);
    if (policy === undefined) {
      await makeFolder(cluster, `/${what}`);
    } else {
      await makeCodedFolder(cluster, `/${what}`, policy);
    }
    const before = await blockBytesOnDisks(cluster);
    await putFile(cluster, local, `/${what}/file`, { replication: 3, blockSizeBytes });

    const computed = storedBytes(redundancy, bytes.length);
    expect(await spaceConsumed(cluster, `/${what}/file`)).toBe(computed);
    expect(await blockBytesOnce(before + computed)).toBe(before + computed);
    const store = await openStore(cluster.webhdfsUrl(`/${what}`));
    try {
      expect(await store.storedBytes('file')).toBe(computed);
      expect(await store.blocks('file')).toHaveLength(
        blockCountOf(redundancy, bytes.length, blockSizeBytes),
      );
    } finally {
      await store.close();
    }
  },
);

describe('a snapshot', () => {
  const rootPath = '/pars';
  let before: number;
  let id: string;
  let stored: StoredSnapshot;
  /** Kept once, beside what a guest is kept by: no part of it. */
  let hashBytes: number;

  beforeAll(async () => {
    const guest = await fixtureGuest('aged');
    before = await blockBytesOnDisks(cluster);
    const storeUrl = cluster.webhdfsUrl(rootPath);
    const upload = await expectPars(
      0,
      ['upload', guest.ramPath, '--state', guest.statePath, '--name', 'aged', '--json'],
      { storeUrl },
    );
    ({ id } = uploadAnswer.parse(upload.json));
    const store = await openStore(storeUrl);
    try {
      const manifest = await loadManifest(store, id);
      stored = await readPlacement(store, manifest);
      hashBytes = manifest.header.pageHashes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    } finally {
      await store.close();
    }
  }, setUpTimeoutMs);

  test('takes what its files, one copy each, and their copies say', async () => {
    const computed = stored.parts.reduce((sum, part) => sum + storedBytesOf(part), 0);
    expect(stored.storedBytes).toBe(computed);
    // Its root holds nothing else but the page hashes.
    expect(hashBytes).toBeGreaterThan(0);
    const all = computed + hashBytes;
    expect(await spaceConsumed(cluster, rootPath)).toBe(all);
    expect(await blockBytesOnce(before + all)).toBe(before + all);
  });

  test('is told apart by copies and by what its loss means', () => {
    const kinds = stored.parts.map(({ redundancy, ifLost }) => ({ redundancy, ifLost }));
    expect(kinds).toHaveLength(2);
    expect(kinds).toEqual(
      expect.arrayContaining<Pick<Part, 'redundancy' | 'ifLost'>>([
        { redundancy: thrice, ifLost: 'does-not-resume' },
        { redundancy: copies(1), ifLost: 'heals' },
      ]),
    );
    const blockCount = stored.parts.reduce((sum, part) => sum + part.blockCount, 0);
    expect(stored.placement?.blocks).toHaveLength(blockCount);
  });
});

test('of a snapshot in a folder with erasure coding the placement is that of the units', async () => {
  await makeCodedFolder(cluster, '/coded-pars', 'RS-3-2-1024k');
  const image = join(folder.path, 'image');
  await writeFile(image, randomBytes(5 * mebibyte + 4096));
  const storeUrl = cluster.webhdfsUrl('/coded-pars');
  // No kernel is found in noise, so every page is critical.
  const everyPageCritical = 20;
  const upload = await expectPars(
    everyPageCritical,
    ['upload', image, '--name', 'noise', '--json'],
    { storeUrl },
  );
  const store = await openStore(storeUrl);
  try {
    const manifest = await loadManifest(store, uploadAnswer.parse(upload.json).id);
    const { parts, placement, storedBytes: counted } = await readPlacement(store, manifest);
    const hashBytes = manifest.header.pageHashes.reduce(
      (sum, { sizeBytes }) => sum + storedBytes(rs32, sizeBytes),
      0,
    );
    expect(hashBytes).toBeGreaterThan(0);
    expect(counted).toBe((await spaceConsumed(cluster, '/coded-pars')) - hashBytes);
    const computed = parts.reduce((sum, part) => sum + storedBytesOf(part), 0);
    expect(Math.abs(computed - counted)).toBeLessThan(parts.length);
    // The pack is over three cells, the manifest and its body within one each.
    expect(
      placement?.blocks
        .map(({ neededUnitCount, unitNodes }) => [neededUnitCount, unitNodes.length])
        .sort(([a], [b]) => a - b),
    ).toEqual([
      [1, 3],
      [1, 3],
      [3, 5],
    ]);
  } finally {
    await store.close();
  }
});

/** The bytes once they are as expected, and the last count after a while: what the test says of it then fails. */
async function blockBytesOnce(expectedBytes: number): Promise<number> {
  const deadlineMs = performance.now() + blockSettledMs;
  for (;;) {
    const found = await blockBytesOnDisks(cluster);
    if (found === expectedBytes || performance.now() > deadlineMs) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
