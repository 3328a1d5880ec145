// The promise itself, on both kinds of store: a guest's memory goes in, comes out the same to the byte, and the guest
// runs on from what came out. Judges are sha256sum, stat and the guest's own checksums.

import { readdirSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fixtureGuest } from '../guest/fixtures.js';
import { resumeGuest } from '../guest/guest.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import { sliceOf } from '../slice.js';
import {
  deleteAnswer,
  listAnswer,
  nothingHealed,
  restoreAnswer,
  showAnswer,
  uploadAnswer,
  verifyAnswer,
} from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { fsckFiles } from './fsck-report.js';
import { clusterStartTimeoutMs, startStoreOnHdfs } from './hdfs-cluster.js';
import { pageSizeBytes, zeroPageCount } from './pages.js';
import { expectPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const guestBootTimeoutMs = 300_000;
/** Blocks of a file's extent tree count as its own. */
const fileSystemSlackBytes = 2 ** 20;

let guest: SnapshotFixture;
beforeAll(async () => {
  guest = await fixtureGuest('aged');
}, guestBootTimeoutMs);

interface OpenedStore {
  readonly url: string;
  /** Files with pages or device state that the store holds, seen from below. */
  readonly dataFileCount: () => Promise<number>;
  readonly close: () => Promise<void>;
}

async function openLocal(): Promise<OpenedStore> {
  const folder = await makeTemporaryFolder();
  return {
    url: pathToFileURL(folder.path).href,
    dataFileCount: () =>
      Promise.resolve(
        readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).filter((path) =>
          /^disk\d\/(data|writing)\//.test(path),
        ).length,
      ),
    close: folder.remove,
  };
}

async function openHdfs(): Promise<OpenedStore> {
  const { cluster, url, rootPath } = await startStoreOnHdfs();
  return {
    url,
    dataFileCount: async () => (await fsckFiles(cluster, rootPath)).length,
    close: () => cluster.close(),
  };
}

describe.each(
  sliceOf(
    [
      ['HDFS', openHdfs],
      ['local disks', openLocal],
    ] as const,
    1,
  ),
)('a snapshot on %s', (_, open) => {
  let store: OpenedStore;
  let folder: TemporaryFolder;
  let id: string;
  const ramPath = () => join(folder.path, 'restored', 'ram');
  const statePath = () => join(folder.path, 'restored', 'state');
  const pars = (...args: readonly string[]) =>
    expectPars(0, [...args, '--json'], { storeUrl: store.url });

  beforeAll(async () => {
    folder = await makeTemporaryFolder();
    store = await open();
  }, clusterStartTimeoutMs);

  afterAll(async () => {
    // `open` may have failed, whatever the type says.
    await (store as OpenedStore | undefined)?.close();
    await folder.remove();
  });

  test('is stored with its device state and listed', async () => {
    const answer = uploadAnswer.parse(
      (await pars('upload', guest.ramPath, '--state', guest.statePath, '--name', 'aged')).json,
    );
    expect(answer).toMatchObject({
      vm: 'aged',
      evidence: { kind: 'complete' },
      underReplicated: [],
    });
    ({ id } = answer);
    expect(listAnswer.parse((await pars('list')).json)).toEqual([{ id, vm: 'aged' }]);
  });

  test('is shown with every page labelled and every file named', async () => {
    const shown = showAnswer.parse((await pars('show', id)).json);
    const { size } = await stat(guest.ramPath);
    expect(shown.imageSizeBytes).toBe(size);
    const labelled = Object.values(shown.labelCounts).reduce((sum, count) => sum + count, 0);
    expect(labelled).toBe(size / pageSizeBytes);
    expect(new Set(shown.packs.map(({ replication }) => replication))).toEqual(new Set([1, 3]));
    expect(shown.attachments.map(({ sha256 }) => sha256)).toEqual([
      await sha256Of(guest.statePath),
    ]);
  });

  test('verifies as whole, page by page', async () => {
    const answer = verifyAnswer.parse((await pars('verify', id, '--read-data')).json);
    expect(answer).toEqual({
      id,
      readData: true,
      lostPageCount: 0,
      lost: [],
      wrongFiles: [],
      underReplicated: [],
    });
  });

  test('comes back the same to the byte, for its owner alone, with holes where it is zero', async () => {
    const out = join(folder.path, 'restored');
    const answer = restoreAnswer.parse((await pars('restore', id, '--out', out)).json);
    expect(answer).toEqual({
      id,
      ram: ramPath(),
      state: statePath(),
      stream: null,
      lostPageCount: 0,
      lost: [],
      healing: nothingHealed,
    });
    expect(await sha256Of(ramPath())).toBe(await sha256Of(guest.ramPath));
    expect(await sha256Of(statePath())).toBe(await sha256Of(guest.statePath));
    expect(readdirSync(out).sort()).toEqual(['ram', 'state']);
    expect(statSync(ramPath()).mode & 0o777).toBe(0o600);

    const { size, blocks } = statSync(ramPath());
    const zeroBytes = zeroPageCount(guest.ramPath) * pageSizeBytes;
    expect(zeroBytes).toBeGreaterThan(4 * fileSystemSlackBytes);
    expect(blocks * 512).toBeLessThanOrEqual(size - zeroBytes + fileSystemSlackBytes);
  });

  test('lets the guest run on with all it held', async () => {
    const resumed = await resumeGuest(guest, { ramPath: ramPath(), statePath: statePath() });
    try {
      expect(guest.checksums.size).toBeGreaterThan(0);
      expect(await resumed.checksums()).toEqual(guest.checksums);
    } finally {
      await resumed.close();
    }
  });

  test('is gone with all its bytes once it is deleted', async () => {
    expect(await store.dataFileCount()).toBeGreaterThan(0);
    const answer = deleteAnswer.parse((await pars('delete', id.slice(0, 5))).json);
    expect(answer.kept).toEqual([]);
    expect(listAnswer.parse((await pars('list')).json)).toEqual([]);
    expect(await store.dataFileCount()).toBe(0);
    await expectPars(4, ['show', id], { storeUrl: store.url });
  });
});
