// What others can do to a store on HDFS: refuse the user, and put wrong bytes in place of right ones. HDFS keeps
// checksums of what it was given, so it takes the wrong bytes for right; only our own formats can tell.

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestName } from '../../src/catalog/names.js';
import { hashSizeBytes, headSizeBytes } from '../../src/manifest/layout.js';
import type { Manifest } from '../../src/manifest/types.js';
import { frameHeaderSizeBytes } from '../../src/pack/layout.js';
import { fixtureGuest } from '../guest/fixtures.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import { eachInWhole, testInWhole } from '../slice.js';
import {
  errorAnswer,
  listAnswer,
  restoreAnswer,
  uploadAnswer,
  verifyAnswer,
} from './command-answers.js';
import { lostRunsOf, manifestOnHdfs, pagesOfFrames } from './expected-loss.js';
import { sha256Of } from './file-hash.js';
import { fsckFiles } from './fsck-report.js';
import {
  clusterStartTimeoutMs,
  hdfsDfs,
  readFromHdfs,
  startStoreOnHdfs,
  type StoreOnHdfs,
} from './hdfs-cluster.js';
import { differingPages } from './pages.js';
import { expectPars, runPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const setUpTimeoutMs = clusterStartTimeoutMs + 300_000;
const permissionDenied = 6;
const corrupt = 10;
const lessThanWanted = 22;

let store: StoreOnHdfs;
let folder: TemporaryFolder;
let guest: SnapshotFixture;
let id: string;
let manifest: Manifest;
const pars = (...args: readonly string[]) => runPars([...args, '--json'], { storeUrl: store.url });

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  guest = await fixtureGuest('aged');
  store = await startStoreOnHdfs();
  const upload = await expectPars(
    0,
    ['upload', guest.ramPath, '--state', guest.statePath, '--name', 'aged', '--json'],
    { storeUrl: store.url },
  );
  ({ id } = uploadAnswer.parse(upload.json));
  manifest = await manifestOnHdfs(store, id);
}, setUpTimeoutMs);

afterAll(async () => {
  await (store as StoreOnHdfs | undefined)?.cluster.close();
  await folder.remove();
});

test.each([
  ['a folder that another user owns', '/pars', ['list']],
  ['a place where this user may not make a folder', '/elsewhere', ['upload']],
])('%s: permission denied, and what to look at', async (_, path, [command]) => {
  const before = await hdfsDfs(store.cluster, '-ls', '-R', '-C', '/');
  // An image of the right form, but small.
  const image = join(folder.path, 'image');
  writeFileSync(image, Buffer.alloc(16 * 4096, 'page'));
  const upload = ['upload', image, '--name', 'vm'];
  const outcome = await runPars([...(command === 'upload' ? upload : [command]), '--json'], {
    storeUrl: store.cluster.webhdfsUrl(path, 'mallory'),
  });
  expect(outcome.exitCode).toBe(permissionDenied);
  const { error } = errorAnswer.parse(outcome.json);
  expect(error.code).toBe('permission-denied');
  for (const part of ['mallory', 'user.name', 'permissions']) {
    expect(error.message).toContain(part);
  }
  expect(await hdfsDfs(store.cluster, '-ls', '-R', '-C', '/')).toBe(before);
});

/** A frame, and the only one of its pack that changes. The second is the middle one of the pack. */
function middleFrameOf(replication: number): number {
  const { packs } = manifest.header;
  const { pack } = manifest.frames;
  const frames = [...pack.keys()].filter((frame) => packs[pack[frame]].replication === replication);
  const ofOnePack = frames.filter((frame) => pack[frame] === pack[frames[0]]);
  return ofOnePack[Math.floor(ofOnePack.length / 2)];
}

eachInWhole([
  ['an expendable pack', 1],
  ['a critical pack', 3],
] as const)(
  'a flipped bit in %s costs exactly the pages of the one frame that it is in',
  async (_, replication) => {
    const frame = middleFrameOf(replication);
    const { pack, offset, length } = manifest.frames;
    const { name } = manifest.header.packs[pack[frame]];
    const payloadBytes = length[frame] - frameHeaderSizeBytes;
    const flipAt = offset[frame] + frameHeaderSizeBytes + Math.floor(payloadBytes / 2);
    const path = `${store.rootPath}/${name}`;
    const whole = await readFromHdfs(store.cluster, path);
    await overwriteOnHdfs(path, flipped(whole, flipAt), replication);
    try {
      const pages = pagesOfFrames(manifest, (index) => index === frame);
      const lost = lostRunsOf(manifest, pages, 'corrupt');
      expect(pages.length).toBeGreaterThan(0);

      const verified = await pars('verify', id, '--read-data');
      // What restore heals is no loss of data.
      expect(verified.exitCode).toBe(replication === 1 ? lessThanWanted : corrupt);
      expect(verifyAnswer.parse(verified.json).lost).toEqual(lost);

      const out = join(folder.path, `flipped-${replication}`);
      const refused = await pars('restore', id, '--out', out, '--no-heal');
      expect(refused.exitCode).toBe(corrupt);
      expect(restoreAnswer.parse(refused.json)).toMatchObject({ ram: null, state: null, lost });
      expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);

      const allowed = await pars('restore', id, '--out', out, '--allow-lost', '--no-heal');
      expect(allowed.exitCode).toBe(corrupt);
      expect(restoreAnswer.parse(allowed.json).lost).toEqual(lost);
      const differences = differingPages(guest.ramPath, join(out, 'ram'));
      // Pages of zeroes are in no frame, so every lost page shows.
      expect(differences).toEqual({ pages, areZeroInSecond: true });
      expect(await sha256Of(join(out, 'state'))).toBe(await sha256Of(guest.statePath));

      const healed = await pars('restore', id, '--out', `${out}-healed`);
      expect(healed.exitCode).toBe(replication === 1 ? 0 : corrupt);
      expect(restoreAnswer.parse(healed.json)).toMatchObject({
        lost,
        healing: { unhealedPageCount: replication === 1 ? 0 : pages.length },
      });
    } finally {
      await overwriteOnHdfs(path, whole, replication);
    }
  },
);

test('a flipped bit in the device state is noticed and nothing is written', async () => {
  const [{ name }] = manifest.header.attachments;
  const path = `${store.rootPath}/${name}`;
  const whole = await readFromHdfs(store.cluster, path);
  await overwriteOnHdfs(path, flipped(whole, 1000), 3);
  try {
    const out = join(folder.path, 'flipped-state');
    const outcome = await pars('restore', id, '--out', out);
    expect(outcome.exitCode).toBe(corrupt);
    const { error } = errorAnswer.parse(outcome.json);
    expect(error.message).toContain(name);
    expect(error.message).toContain('SHA-256');
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  } finally {
    await overwriteOnHdfs(path, whole, 3);
  }
});

testInWhole(
  'a flipped bit in the manifest is noticed by whoever reads that part of it',
  async () => {
    const path = `${store.rootPath}/${manifestName(id)}`;
    const whole = await readFromHdfs(store.cluster, path);
    try {
      await overwriteOnHdfs(path, flipped(whole, headSizeBytes + 100), 3);
      const listed = await pars('list');
      expect(listed.exitCode).toBe(corrupt);
      expect(listAnswer.parse(listed.json)).toEqual([]);
      expect(listed.stderr).toContain(id);

      await overwriteOnHdfs(path, flipped(whole, whole.length - hashSizeBytes), 3);
      await expectListedNotRestored('flipped-manifest');
    } finally {
      await overwriteOnHdfs(path, whole, 3);
    }
  },
);

test("a flipped bit in the manifest's body is noticed by whoever reads it, and the snapshot is listed all the same", async () => {
  const [{ name }] = manifest.header.bodies;
  const path = `${store.rootPath}/${name}`;
  const whole = await readFromHdfs(store.cluster, path);
  await overwriteOnHdfs(path, flipped(whole, Math.floor(whole.length / 2)), 3);
  try {
    await expectListedNotRestored('flipped-body');
  } finally {
    await overwriteOnHdfs(path, whole, 3);
  }
});

test('with the right bytes back in place the snapshot is whole', async () => {
  await expectPars(0, ['verify', id, '--read-data'], { storeUrl: store.url });
});

async function expectListedNotRestored(outName: string): Promise<void> {
  await expectPars(0, ['list'], { storeUrl: store.url });
  const out = join(folder.path, outName);
  const refused = await pars('restore', id, '--out', out, '--allow-lost');
  expect(refused.exitCode).toBe(corrupt);
  expect(errorAnswer.parse(refused.json).error.message).toContain('SHA-256');
  expect(existsSync(out)).toBe(false);
}

function flipped(bytes: Uint8Array, atBytes: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[atBytes] ^= 1;
  return changed;
}

/** With the copies and in the one block that the file had. */
async function overwriteOnHdfs(
  path: string,
  bytes: Uint8Array,
  replication: number,
): Promise<void> {
  const local = join(folder.path, 'overwriting');
  writeFileSync(local, bytes);
  await hdfsDfs(
    store.cluster,
    ...['-D', `dfs.replication=${replication}`, '-D', 'dfs.blocksize=67108864'],
    ...['-put', '-f', local, path],
  );
  const [file] = await fsckFiles(store.cluster, path);
  expect(file).toMatchObject({ path, sizeBytes: bytes.length, replication });
  expect(file.blocks).toHaveLength(1);
}
