// A slice of the soak (cases.ts): one guest that loses all that was stored once on a real HDFS, and the same without healing, to
// see that the guest then notices; in the whole also one that loses a part of it.
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { bootGuest } from '../guest/guest.js';
import { type HdfsCluster, startHdfs } from '../hdfs/cluster.js';
import { testInWhole } from '../slice.js';
import { guestOptionsOf, soakSlice } from './cases.js';
import { destroySingleCopies } from './destroy-blocks.js';
import { loseAll, losePart, type SingleCopies, type SoakSnapshot } from './survive.js';

const setUpTimeoutMs = 300_000;
const testTimeoutMs = 180_000;
const storePath = '/soak';

let folder: TemporaryFolder;
let cluster: HdfsCluster;
let store: Store;
let snapshot: SoakSnapshot;
let copies: SingleCopies;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  const starting = startHdfs({
    dataNodeCount: 3,
    configOverrides: { 'dfs.client.retry.window.base': '10' },
  });
  const guest = await bootGuest(guestOptionsOf(soakSlice));
  try {
    const checksums = await guest.checksums();
    snapshot = { files: await guest.snapshot(join(folder.path, 'snapshot')), checksums };
  } finally {
    await guest.close();
    cluster = await starting;
  }
  store = await openStore(cluster.webhdfsUrl(storePath, userInfo().username));
  copies = { store, destroy: () => destroySingleCopies(cluster, storePath) };
}, setUpTimeoutMs);

afterAll(async () => {
  await (store as Store | undefined)?.close();
  await (cluster as HdfsCluster | undefined)?.close();
  await folder.remove();
});

test(
  'a guest survives the loss of everything that was stored once',
  async () => {
    const outcome = await loseAll(snapshot, 'strict', copies, join(folder.path, 'all'));
    expect(outcome.wrong).toEqual([]);
    expect(outcome.lostPageCount).toBe(outcome.singlePageCount);
    expect(outcome.healed.rereadPageCount).toBeGreaterThan(1000);
    expect(outcome.healed.filledPageCount).toBeGreaterThan(1000);
  },
  testTimeoutMs,
);

testInWhole(
  'a guest survives when nothing is stored that a restore can make, or the disk holds',
  async () => {
    const outcome = await loseAll(snapshot, 'lean', copies, join(folder.path, 'lean'));
    expect(outcome.wrong).toEqual([]);
    expect(outcome.healed.putBackPageCount).toBeGreaterThan(1000);
    expect(outcome.leanSavingFraction).toBeGreaterThan(outcome.savingFraction);
  },
  testTimeoutMs,
);

testInWhole(
  'a guest survives the loss of a part',
  async () => {
    const part = { share: 0.5, shape: 'folio halves' } as const;
    const outcome = await losePart(snapshot, 'strict', part, 1, join(folder.path, 'part'));
    expect(outcome.wrong).toEqual([]);
    expect(outcome.lostPageCount).toBe(Math.round(outcome.expendablePageCount * part.share));
  },
  testTimeoutMs,
);

testInWhole(
  'a guest whose pages were not healed is found out',
  async () => {
    const outcome = await loseAll(snapshot, 'strict', copies, join(folder.path, 'unhealed'), {
      noHeal: true,
    });
    expect(outcome.healed.rereadPageCount).toBe(0);
    expect(outcome.wrong).not.toEqual([]);
  },
  testTimeoutMs,
);
