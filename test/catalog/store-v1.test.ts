// A store that a program of version 1 formats wrote, kept for ever: what it holds is listed, read back to the byte and
// deleted by every later program.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listSnapshots, loadManifest, resolveId } from '../../src/catalog/catalog.js';
import { deleteSnapshot } from '../../src/catalog/delete-snapshots.js';
import { restoreSnapshot } from '../../src/restore/restore-snapshot.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { verifySnapshot } from '../../src/verify/verify-snapshot.js';
import { sha256Of } from '../e2e/file-hash.js';
import { flipStoredBit, LocalStoreFolder } from '../e2e/local-store-folder.js';
import { filesBelow } from './small-snapshot.js';

const id = '81c35153e8015fc7';
const ramSha256 = '4d91843fad6bfb0d4392e3ac33763f8ae55c1fe5eb560a2371a8aaba1d672c31';
const diskSha256 = 'efac9e66c3219b65eccdb5bad1039ce6a9bf6b7bd73ceffbdda71b3b1e631425';

let folder: string;
let storeFolder: LocalStoreFolder;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-store-v1-'));
  const archive = fileURLToPath(new URL('../fixtures/store-v1.tar.gz', import.meta.url));
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  storeFolder = new LocalStoreFolder(join(folder, 'store'));
  store = await openStore(storeFolder.url);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

test('its snapshot is listed with the VM that it is of', async () => {
  const { snapshots, unreadable } = await listSnapshots(store);
  expect(unreadable).toEqual([]);
  expect(snapshots).toHaveLength(1);
  const [{ header }] = snapshots;
  expect(header).toMatchObject({ id, vm: 'web', identity: { id: 'blue' } });
  expect(header).toMatchObject({ bodies: [], pageHashes: [] });
  expect(await resolveId(store, id.slice(0, 4))).toBe(id);
});

test('its snapshot is whole when every page of it is read', async () => {
  const manifest = await loadManifest(store, id);
  expect(manifest.spaces.map(({ name }) => name)).toEqual(['ram', 'disk-vda']);
  const verification = await verifySnapshot({ store, manifest, readData: true });
  expect(verification).toMatchObject({
    lost: [],
    lostOnDisks: [],
    wrongFiles: [],
    unreachableFiles: [],
    underReplicated: [],
  });
});

test('its RAM and its disk come back to the byte', async () => {
  const manifest = await loadManifest(store, id);
  const out = join(folder, 'out');
  const result = await restoreSnapshot({ store, manifest, folder: out, allowLost: false });
  expect(result).toMatchObject({ kind: 'files', lost: [], lostOnDisks: [] });
  expect(readdirSync(out).sort()).toEqual(['disk-vda.img', 'ram']);
  expect(await sha256Of(join(out, 'ram'))).toBe(ramSha256);
  expect(await sha256Of(join(out, 'disk-vda.img'))).toBe(diskSha256);
});

test('a page of it that was damaged is found', async () => {
  const manifest = await loadManifest(store, id);
  const { frames, header } = manifest;
  const last = frames.offset.length - 1;
  for (const copy of storeFolder.copiesOf(header.packs[frames.pack[last]].name)) {
    flipStoredBit(copy, frames.offset[last] + frames.length[last] - 1);
  }
  const { lost, lostOnDisks } = await verifySnapshot({ store, manifest, readData: true });
  const runs = [...lost, ...lostOnDisks.flatMap((disk) => disk.lost)];
  expect(runs.reduce((sum, { pageCount }) => sum + pageCount, 0)).toBe(frames.pageCount[last]);
  expect(new Set(runs.map(({ reason }) => reason))).toEqual(new Set(['corrupt']));
});

test('its snapshot is deleted, and nothing is left of it', async () => {
  const before = await filesBelow(store, '');
  expect(before.length).toBeGreaterThan(3);
  const { removed, kept } = await deleteSnapshot(store, id);
  expect(kept).toEqual([]);
  expect([...removed, `snapshots/${id}.manifest`].sort()).toEqual(before);
  expect(await listSnapshots(store)).toEqual({ snapshots: [], unreadable: [] });
  expect(await filesBelow(store, '')).toEqual([]);
  expect(await store.list('packs')).toEqual([]);
  expect(storeFolder.dataFiles()).toEqual([]);
});
