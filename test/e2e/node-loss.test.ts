// Two of five DataNodes die. What must be lost is lost, to the page, and nothing else: before the NameNode has noticed,
// after it has, and no more once the nodes are back. Judges are fsck, `hdfs dfs -ls` and the image itself.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pageClasses } from '../../introspect/page-class.js';
import { manifestName } from '../../src/catalog/names.js';
import type { Manifest } from '../../src/manifest/types.js';
import { fixtureGuest } from '../guest/fixtures.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import type { HdfsDataNode } from '../hdfs/cluster.js';
import { liveDataNodeCount } from '../hdfs/name-node-state.js';
import { testInWhole } from '../slice.js';
import {
  type LostRunAnswer,
  restoreAnswer,
  showAnswer,
  uploadAnswer,
  verifyAnswer,
  verifyForecast,
} from './command-answers.js';
import { lostRunsOf, manifestOnHdfs, pagesOfFrames } from './expected-loss.js';
import { sha256Of } from './file-hash.js';
import { type FsckFile, fsckFiles } from './fsck-report.js';
import {
  clusterStartTimeoutMs,
  hdfsDfs,
  startStoreOnHdfs,
  type StoreOnHdfs,
} from './hdfs-cluster.js';
import { differingBits, differingPages, nonZeroPages } from './pages.js';
import { expectPars, runPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const setUpTimeoutMs = clusterStartTimeoutMs + 300_000;
const testTimeoutMs = 180_000;
/** HDFS itself is silent for 20 s at a lost block; nobody should have to wait for that. */
const patienceMs = 15_000;
const fsckPatienceMs = 30_000;
const dataLost = 9;
const unavailable = 7;
const lessThanWanted = 22;
const dataNodeCount = 5;
const nodesKilled = 2;
const noticeTimeoutMs = 110_000;

let store: StoreOnHdfs;
let folder: TemporaryFolder;
let guest: SnapshotFixture;
let id: string;
let manifest: Manifest;
let victims: readonly HdfsDataNode[];
/** Names of packs, and the pages in them. */
let lostPacks: ReadonlySet<string>;
let lostPages: readonly number[];
let lostRuns: readonly LostRunAnswer[];

const giveUp = '--heal-unreachable';

const pars = (...args: readonly string[]) => runPars([...args, '--json'], { storeUrl: store.url });

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  guest = await fixtureGuest('aged');
  // Dead nodes are known to be so after 50 s: there is a time in which they are not, and it ends.
  store = await startStoreOnHdfs({ 'dfs.namenode.heartbeat.recheck-interval': '20000' });
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

test(
  'every block of a critical file has three live copies on three nodes, of an expendable one a single one',
  async () => {
    const shown = showAnswer.parse((await pars('show', id)).json);
    const wanted = new Map([
      ...shown.packs.map(({ name, replication }) => [name, replication] as const),
      ...[...shown.attachments, ...shown.bodies].map(({ name }) => [name, 3] as const),
      ...shown.pageHashes.map(({ name }) => [name, 1] as const),
    ]);
    expect(new Set(wanted.values())).toEqual(new Set([1, 3]));
    const files = await fsckFiles(store.cluster, `${store.rootPath}/packs`);
    const found = new Map<string, number>();
    for (const { path, replication, blocks } of files) {
      for (const { locations } of blocks) {
        expect({ path, copies: new Set(locations).size }).toEqual({ path, copies: replication });
      }
      // A pack is one block: the unit of loss.
      expect({ path, blocks: blocks.length }).toEqual({ path, blocks: 1 });
      found.set(path.slice(store.rootPath.length + 1), replication);
    }
    expect(found).toEqual(wanted);
  },
  testTimeoutMs,
);

test(
  'the manifest has three live copies soon after',
  async () => {
    const path = `${store.rootPath}/${manifestName(id)}`;
    const copyCounts = async () =>
      (await fsckFiles(store.cluster, path)).flatMap(({ blocks }) =>
        blocks.map(({ locations }) => new Set(locations).size),
      );
    // Its copies are not waited for by the upload: the last may be reported a moment later.
    await fsckFilesOnce((all) =>
      all.some((file) => file.path === path && file.blocks[0].locations.length === 3),
    );
    expect(await copyCounts()).toEqual([3]);
  },
  testTimeoutMs,
);

test(
  'files and folders are for their owner alone',
  async () => {
    const lines = (await hdfsDfs(store.cluster, '-ls', '-R', store.rootPath)).trim().split('\n');
    expect(lines.length).toBeGreaterThan(manifest.header.packs.length);
    for (const line of lines) {
      const expected = line.startsWith('d') ? 'drwx------' : '-rw-------';
      expect(line).toEqual(expect.stringMatching(`^${expected} `));
    }
  },
  testTimeoutMs,
);

test(
  'verify foretells for each node what its loss would cost: expendable pages that restore heals',
  async () => {
    const outcome = await pars('verify', id);
    expect(outcome.exitCode).toBe(0);
    const { scenarios, risks } = verifyForecast.parse(outcome.json);
    // Page hashes are of no use to a restore.
    const files = (await fsckFiles(store.cluster, store.rootPath)).filter(
      ({ path }) => !path.endsWith('.hashes'),
    );
    const pagesWithout = (isGone: (file: FsckFile) => boolean): readonly number[] => {
      const gone = new Set(
        files.filter(isGone).map(({ path }) => path.slice(store.rootPath.length + 1)),
      );
      const { frames } = manifest;
      return pagesOfFrames(manifest, (frame) =>
        gone.has(manifest.header.packs[frames.pack[frame]].name),
      );
    };
    const expected = [
      { without: 'nothing', node: null, lostPageCount: 0 },
      ...store.cluster.dataNodes
        .map(({ name }) => name)
        .filter((name) =>
          files.some(({ blocks }) => blocks.some(({ locations }) => locations.includes(name))),
        )
        .sort()
        .map((node) => ({
          without: 'node',
          node,
          lostPageCount: pagesWithout(({ blocks }) =>
            blocks.some(({ locations }) => locations.every((name) => name === node)),
          ).length,
        })),
      {
        without: 'single-copies',
        node: null,
        lostPageCount: pagesWithout(({ replication }) => replication === 1).length,
      },
    ];
    expect(scenarios).toEqual(
      expected.map(
        (scenario) =>
          expect.objectContaining({
            ...scenario,
            unhealedPageCount: 0,
            lostFiles: [],
            verdict: 'resumes',
          }) as unknown,
      ),
    );
    expect(scenarios[scenarios.length - 1].lostPageCount).toBeGreaterThan(0);
    expect(risks.map(({ kind }) => kind)).toEqual(['reread-from-disk']);
  },
  testTimeoutMs,
);

describe('with two DataNodes killed', () => {
  beforeAll(async () => {
    const files = await fsckFiles(store.cluster, store.rootPath);
    const single = files.filter((file) => isPack(file) && file.replication === 1);
    const nodes = store.cluster.dataNodes;
    const lostWith = (pair: readonly HdfsDataNode[]) =>
      single.filter(({ blocks }) =>
        blocks.some(({ locations }) =>
          locations.every((location) => pair.some(({ name }) => name === location)),
        ),
      );
    // The pair that costs most, as long as something is left.
    const [worst] = nodes
      .flatMap((first, index) => nodes.slice(index + 1).map((second) => [first, second]))
      .map((pair) => ({ pair, lost: lostWith(pair) }))
      .filter(({ lost }) => lost.length > 0 && lost.length < single.length)
      .sort((a, b) => b.lost.length - a.lost.length);
    victims = worst.pair;
    lostPacks = new Set(worst.lost.map(({ path }) => path.slice(store.rootPath.length + 1)));
    const isLost = manifest.header.packs.map(({ name }) => lostPacks.has(name));
    const packOf = manifest.frames.pack;
    lostPages = pagesOfFrames(manifest, (frame) => isLost[packOf[frame]]);
    lostRuns = lostRunsOf(manifest, lostPages, 'lost');
    await Promise.all(victims.map((node) => node.kill()));
  }, testTimeoutMs);

  test('what is lost is expendable', () => {
    expect(lostPages.length).toBeGreaterThan(0);
    const expendable = pageClasses.filter((entry) => entry.expendable).map(({ label }) => label);
    expect(expendable).toEqual(
      expect.arrayContaining([...new Set(lostRuns.map((run) => run.label))]),
    );
  });

  test(
    'unnoticed: restore ends at once in words, takes nothing for lost, and writes nothing',
    async () => {
      const out = join(folder.path, 'unreachable');
      for (const options of [[], ['--allow-lost']]) {
        const outcome = await pars('restore', id, '--out', out, ...options);
        expect(outcome.exitCode).toBe(unavailable);
        expect(outcome.durationMs).toBeLessThan(patienceMs);
        expect(outcome.stderr).toContain(giveUp);
        expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
      }
      const verified = await pars('verify', id, '--read-data');
      expect(verified.exitCode).toBe(unavailable);
      // Otherwise this was another test than its name says.
      expect(await liveDataNodeCount(store.cluster.nameNodeHttpUrl)).toBe(dataNodeCount);
    },
    testTimeoutMs,
  );

  testInWhole(
    'unnoticed: restore that gives up what is out of reach, not to heal, says which pages',
    async () => {
      await expectRefusal('unnoticed', giveUp);
      // Otherwise this was another test than its name says.
      expect(await liveDataNodeCount(store.cluster.nameNodeHttpUrl)).toBe(dataNodeCount);
    },
    testTimeoutMs,
  );

  test(
    'unnoticed: restore that gives up what is out of reach heals it',
    () => expectHealed('unnoticed-healed', giveUp),
    testTimeoutMs,
  );

  testInWhole(
    'unnoticed: with --allow-lost every other page comes back',
    () => expectTheRest('unnoticed-rest', giveUp),
    testTimeoutMs,
  );

  test(
    'noticed: fsck agrees on which packs are lost',
    async () => {
      await store.cluster.waitForLiveDataNodes(dataNodeCount - nodesKilled, noticeTimeoutMs);
      const files = await fsckFiles(store.cluster, store.rootPath);
      const gone = files.filter(
        (file) => isPack(file) && file.blocks.some(({ locations }) => locations.length === 0),
      );
      expect(new Set(gone.map(({ path }) => path.slice(store.rootPath.length + 1)))).toEqual(
        lostPacks,
      );
    },
    testTimeoutMs,
  );

  testInWhole(
    'noticed: restore, not to heal, says which pages are lost and does not even make the folder',
    async () => {
      await expectRefusal('noticed');
      expect(existsSync(join(folder.path, 'noticed'))).toBe(false);
    },
    testTimeoutMs,
  );

  test(
    'noticed: restore heals what is lost, and changes nothing else but the flags of lost cache',
    () => expectHealed('healed'),
    testTimeoutMs,
  );

  test('noticed: verify says the same without reading', () => expectVerdict(), testTimeoutMs);

  testInWhole(
    'noticed: with --allow-lost every other page comes back',
    () => expectTheRest('noticed-rest'),
    testTimeoutMs,
  );
});

testInWhole(
  'once the nodes are back, the whole image is',
  async () => {
    await Promise.all(victims.map((node) => node.restart()));
    await store.cluster.waitForLiveDataNodes(dataNodeCount);
    // Counted as alive first, then their blocks are reported.
    await fsckFilesOnce((all) =>
      all.every(({ blocks }) => blocks.every(({ locations }) => locations.length > 0)),
    );
    const out = join(folder.path, 'whole');
    await expectPars(0, ['restore', id, '--out', out], { storeUrl: store.url });
    expect(await sha256Of(join(out, 'ram'))).toBe(await sha256Of(guest.ramPath));
    expect(await sha256Of(join(out, 'state'))).toBe(await sha256Of(guest.statePath));
  },
  testTimeoutMs,
);

/** Page hashes may go with packs, and nobody misses them. */
function isPack({ path }: FsckFile): boolean {
  return path.endsWith('.pack');
}

/** The report once it is as expected, and the last one after a while: what the test says of it then fails. */
async function fsckFilesOnce(
  isReached: (files: readonly FsckFile[]) => boolean,
): Promise<readonly FsckFile[]> {
  const deadlineMs = performance.now() + fsckPatienceMs;
  for (;;) {
    const files = await fsckFiles(store.cluster, store.rootPath);
    if (isReached(files) || performance.now() > deadlineMs) {
      return files;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function expectRefusal(folderName: string, ...options: readonly string[]): Promise<void> {
  const out = join(folder.path, folderName);
  const outcome = await pars('restore', id, '--out', out, '--no-heal', ...options);
  expect(outcome.exitCode).toBe(dataLost);
  expect(outcome.durationMs).toBeLessThan(patienceMs);
  expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  const answer = restoreAnswer.parse(outcome.json);
  expect(answer).toMatchObject({ id, ram: null, state: null, lostPageCount: lostPages.length });
  expect(answer.lost.map(asLost)).toEqual(lostRuns);
  expect(outcome.stderr).toContain('--allow-lost');
}

async function expectVerdict(...options: readonly string[]): Promise<void> {
  const outcome = await pars('verify', id, ...options);
  // Expendable pages are healed, so they are no loss of data.
  expect(outcome.exitCode).toBe(lessThanWanted);
  expect(outcome.durationMs).toBeLessThan(patienceMs);
  const answer = verifyAnswer.parse(outcome.json);
  expect(answer).toMatchObject({ id, lostPageCount: lostPages.length, wrongFiles: [] });
  expect(answer.lost).toEqual(lostRuns);
  expect(verifyForecast.parse(outcome.json).scenarios[0]).toMatchObject({
    without: 'nothing',
    lostPageCount: lostPages.length,
    unhealedPageCount: 0,
    verdict: 'resumes',
  });
}

async function expectHealed(folderName: string, ...options: readonly string[]): Promise<void> {
  const out = join(folder.path, folderName);
  const outcome = await pars('restore', id, '--out', out, ...options);
  expect(outcome.exitCode).toBe(0);
  const answer = restoreAnswer.parse(outcome.json);
  const lostCache = lostRuns.filter(({ label }) => label === 'file-reread');
  const lostCacheCount = lostCache.reduce((sum, { pageCount }) => sum + pageCount, 0);
  expect(lostCacheCount).toBeGreaterThan(0);
  expect(answer.lost.map(asLost)).toEqual(lostRuns);
  expect(answer).toMatchObject({
    healing: {
      filledPageCount: lostPages.length - lostCacheCount,
      rereadPageCount: lostCacheCount,
      // Folios of one page, in the kernel of this guest.
      rereadFolioCount: lostCacheCount,
      unhealedPageCount: 0,
    },
  });
  const { pages } = differingPages(guest.ramPath, join(out, 'ram'));
  const lost = new Set(lostPages);
  const others = pages.filter((page) => !lost.has(page));
  expect(differingBits(guest.ramPath, join(out, 'ram'), others)).toEqual({
    clearedCount: lostCacheCount,
    setCount: 0,
  });
}

async function expectTheRest(folderName: string, ...options: readonly string[]): Promise<void> {
  const out = join(folder.path, folderName);
  const outcome = await pars('restore', id, '--out', out, '--allow-lost', '--no-heal', ...options);
  expect(outcome.exitCode).toBe(dataLost);
  expect(outcome.durationMs).toBeLessThan(patienceMs);
  const answer = restoreAnswer.parse(outcome.json);
  expect(answer).toMatchObject({ id, ram: join(out, 'ram'), state: join(out, 'state') });
  expect(answer.lost.map(asLost)).toEqual(lostRuns);
  const { pages, areZeroInSecond } = differingPages(guest.ramPath, join(out, 'ram'));
  expect(areZeroInSecond).toBe(true);
  expect(pages).toEqual(nonZeroPages(guest.ramPath, lostPages));
  expect(await sha256Of(join(out, 'state'))).toBe(await sha256Of(guest.statePath));
}

/** While a test runs, HDFS may come to know that what was out of reach is lost. */
function asLost(run: LostRunAnswer): LostRunAnswer {
  return run.reason === 'unreachable' ? { ...run, reason: 'lost' } : run;
}
