// The loss table comes true. From real block locations it says of every choice of 1, 2 and 3 of five DataNodes what a
// snapshot, a raw file with three copies and an erasure-coded one lose; then nodes are really killed, and what can be
// read back, and what `verify` and `restore` say, must be that.
//
// The cluster makes no copies again: that would change the table between one choice and the next.

import { randomFillSync } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { loadManifest } from '../../src/catalog/catalog.js';
import type { Manifest } from '../../src/manifest/types.js';
import { readPlacement, type StoredSnapshot } from '../../src/measure/read-placement.js';
import { type Outcome, type Placement, tryChoices } from '../../src/report/model/placement.js';
import type { Part } from '../../src/report/model/report.js';
import { riskOf } from '../../src/report/model/risk.js';
import { openStore } from '../../src/store/open-store.js';
import { blockCountOf, copies, placeCount, reedSolomon } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import { restoreAnswer, uploadAnswer, verifyForecast } from '../e2e/command-answers.js';
import { clusterStartTimeoutMs } from '../e2e/hdfs-cluster.js';
import { type CommandOutcome, expectPars, runPars } from '../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { type HdfsCluster, startHdfs } from '../hdfs/cluster.js';
import {
  makeCodedFolder,
  makeFolder,
  putFile,
  readAsFarAsPossible,
} from '../hdfs/files-on-hdfs.js';
import { sliceOf } from '../slice.js';

const setUpTimeoutMs = clusterStartTimeoutMs + 300_000;
const testTimeoutMs = 600_000;
const settledMs = 60_000;
const mebibyte = 2 ** 20;
const blockSizeBytes = 4 * mebibyte;
/** Three blocks, or one group whose stripes are on all nodes. */
const fileSizeBytes = 10 * mebibyte + 4321;
const thrice = copies(3);
const rs32 = reedSolomon(3, 2);
const dataNodeCount = 5;
const mostGone = 3;
const dataLost = 9;
const lessThanWanted = 22;
const assumptions = { nodeCount: dataNodeCount, annualFailureRate: 0.05, repairHours: 24 };

/** Aborted when the tests are over, in time or not: a cluster that is closed must not be started again. */
const over = new AbortController();

let cluster: HdfsCluster;
let folder: TemporaryFolder;
let store: Store;
let id: string;
let snapshot: StoredSnapshot;
/** By name: of each what it loses with every choice of nodes. */
let tables: Readonly<Record<'snapshot' | 'raw' | 'coded', LossTable>>;
const contents = new Map<string, Buffer>();

const pars = (...args: readonly string[]): Promise<CommandOutcome> =>
  runPars([...args, '--json'], { storeUrl: cluster.webhdfsUrl('/pars') });

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  cluster = await startHdfs({
    dataNodeCount,
    configOverrides: {
      'dfs.namenode.redundancy.interval.seconds': '3600',
      // Dead after 4 s of silence instead of 12: twice this, as the interval below counts as 0 whole seconds.
      'dfs.namenode.heartbeat.recheck-interval': '2000',
      'dfs.heartbeat.interval': '500ms',
      // A DataNode that reads for WebHDFS gives up on a lost block sooner.
      'dfs.client.retry.window.base': '100',
    },
  });
  const guest = await fixtureGuest('aged');
  const upload = await expectPars(
    0,
    ['upload', guest.ramPath, '--state', guest.statePath, '--name', 'aged', '--json'],
    { storeUrl: cluster.webhdfsUrl('/pars') },
  );
  ({ id } = uploadAnswer.parse(upload.json));
  await makeFolder(cluster, '/raw');
  await makeCodedFolder(cluster, '/coded', 'RS-3-2-1024k');
  for (const name of ['raw', 'coded']) {
    const bytes = randomFillSync(Buffer.alloc(fileSizeBytes));
    const local = join(folder.path, name);
    await writeFile(local, bytes);
    await putFile(cluster, local, `/${name}/file`, { replication: 3, blockSizeBytes });
    contents.set(name, bytes);
  }
  store = await openStore(cluster.webhdfsUrl('/'));
  await waitForAllCopies();
  snapshot = await readSnapshot();
  if (snapshot.placement === undefined) {
    throw new Error('expected whole copies of the snapshot');
  }
  tables = {
    snapshot: lossTable(snapshot.placement),
    raw: lossTable(await placementOfFile('raw', 1)),
    coded: lossTable(await placementOfFile('coded', 3)),
  };
}, setUpTimeoutMs);

afterAll(async () => {
  over.abort();
  await (store as Store | undefined)?.close();
  await (cluster as HdfsCluster | undefined)?.close();
  await folder.remove();
});

test('the table has every choice, and its shares are the risk that is reported', () => {
  const { parts, placement } = snapshot;
  const { nodeLosses } = riskOf(parts, assumptions, placement);
  expect(nodeLosses.map(({ nodeCount, basis }) => ({ nodeCount, basis }))).toEqual(
    [1, 2, 3].map((nodeCount) => ({ nodeCount, basis: 'placement' })),
  );
  for (const { nodeCount, doesNotResume, heals } of nodeLosses) {
    const outcomes = choicesOf(nodeCount).map(tables.snapshot);
    expect(outcomes).toHaveLength([5, 10, 10][nodeCount - 1]);
    const shareOf = (outcome: Outcome) =>
      outcomes.filter((found) => found === outcome).length / outcomes.length;
    expect(doesNotResume).toBeCloseTo(shareOf('does-not-resume'), 12);
    expect(heals).toBeCloseTo(shareOf('heals'), 12);
  }
  // Three copies, or two units of parity, bear two nodes; all units of a stripe are on five, so no more.
  for (const choice of [...choicesOf(1), ...choicesOf(2)]) {
    expect(tables.snapshot(choice)).not.toBe('does-not-resume');
    expect(tables.raw(choice)).toBe('nothing-lost');
    expect(tables.coded(choice)).toBe('nothing-lost');
  }
  for (const choice of choicesOf(3)) {
    expect(tables.coded(choice)).toBe('does-not-resume');
  }
});

test(
  'nodes that are killed cost what the table says, node after node',
  async () => {
    const all = chainsToKill();
    const chains = sliceOf(all, 1);
    const seen = new Set<string>();
    for (const chain of chains) {
      const gone: string[] = [];
      try {
        for (const node of chain) {
          over.signal.throwIfAborted();
          await nodeNamed(node).kill();
          gone.push(node);
          await cluster.waitForLiveDataNodes(dataNodeCount - gone.length);
          await expectForetold(gone);
          seen.add(`${gone.length} ${tables.snapshot(gone)}`);
        }
      } finally {
        if (!over.signal.aborted) {
          await Promise.all(gone.map((node) => nodeNamed(node).restart()));
        }
      }
      await cluster.waitForLiveDataNodes(dataNodeCount);
      await waitForAllCopies();
    }
    // Every single node, and of the others enough to see a guest that heals and one that does not resume.
    expect(new Set(all.map(([first]) => first)).size).toBe(dataNodeCount);
    const wanted = ['2 heals', '3 heals', '3 does-not-resume'];
    expect([...seen]).toEqual(expect.arrayContaining([...sliceOf(wanted, 2)]));
    expect((await readSnapshot()).placement).toEqual(snapshot.placement);
  },
  testTimeoutMs,
);

type LossTable = (gone: readonly string[]) => Outcome;

function lossTable(placement: Placement): LossTable {
  const outcomes = new Map<string, Outcome>();
  tryChoices(placement, mostGone, (gone, outcome) => {
    outcomes.set(gone.map((node) => placement.nodes[node]).join(), outcome);
  });
  return (gone) => {
    // The table is of nodes that hold anything, in their order.
    const holders = placement.nodes.filter((node) => gone.includes(node));
    const outcome = outcomes.get(holders.join());
    if (outcome === undefined) {
      throw new Error(`the table lacks ${holders.join()}`);
    }
    return outcome;
  };
}

function choicesOf(size: number): readonly (readonly string[])[] {
  const names = cluster.dataNodes.map(({ name }) => name);
  return [...Array(2 ** names.length).keys()]
    .map((set) => names.filter((_, index) => (set & (1 << index)) !== 0))
    .filter(({ length }) => length === size);
}

/** Two choices of three, one that heals the snapshot and one that is fatal to it, node by node; then the other nodes. */
function chainsToKill(): readonly (readonly string[])[] {
  const wanted = ['does-not-resume', 'heals'] as const;
  const triples = wanted.map((outcome) => {
    const found = choicesOf(3).filter((choice) => tables.snapshot(choice) === outcome);
    if (found.length === 0) {
      throw new Error(`expected a choice of three nodes that ${outcome}`);
    }
    return found;
  });
  const fatal = triples[0][0];
  // Those where the raw file fares otherwise tell more.
  const healing =
    triples[1].find((choice) => tables.raw(choice) !== tables.raw(fatal)) ?? triples[1][0];
  // In an order in which the first is another one, and two of them cost something too.
  const second = ordersOf(healing).find(
    (order) => order[0] !== fatal[0] && tables.snapshot(order.slice(0, 2)) === 'heals',
  );
  if (second === undefined) {
    throw new Error('expected a choice of two nodes that heals');
  }
  const firsts = [fatal[0], second[0]];
  const singles = cluster.dataNodes
    .map(({ name }) => name)
    .filter((name) => !firsts.includes(name));
  return [second, fatal, ...singles.map((name) => [name])];
}

function ordersOf([a, b, c]: readonly string[]): readonly (readonly string[])[] {
  return [
    [a, b, c],
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ];
}

/** Everything is read: the packs by `verify`, and where most is gone also by a restore. */
async function expectForetold(gone: readonly string[]): Promise<void> {
  const foretold = tables.snapshot(gone);
  const isFatal = foretold === 'does-not-resume';
  const verify = await pars('verify', id, '--read-data');
  expect({
    gone,
    exitCode: verify.exitCode,
    ...whatIsSaid(verify),
    raw: await isWhole('raw'),
    coded: await isWhole('coded'),
  }).toEqual({
    gone,
    exitCode: isFatal ? dataLost : lessThanWanted,
    verdict: isFatal ? 'does-not-resume' : 'resumes',
    isLost: foretold !== 'nothing-lost',
    raw: tables.raw(gone) === 'nothing-lost',
    coded: tables.coded(gone) === 'nothing-lost',
  });
  if (gone.length === mostGone) {
    const out = join(folder.path, 'restored');
    const restore = await pars('restore', id, '--out', out);
    await rm(out, { recursive: true, force: true });
    expect({ gone, exitCode: restore.exitCode }).toEqual({
      gone,
      exitCode: isFatal ? dataLost : 0,
    });
    if (!isFatal) {
      const { lostPageCount, healing } = restoreAnswer.parse(restore.json);
      expect(lostPageCount > 0).toBe(foretold === 'heals');
      expect(healing.filledPageCount + healing.rereadPageCount).toBe(lostPageCount);
    }
  }
}

/** Without its manifest there is nothing to read from. */
function whatIsSaid({ json }: CommandOutcome) {
  if (z.object({ error: z.object({ code: z.literal('data-lost') }) }).safeParse(json).success) {
    return { verdict: 'does-not-resume', isLost: true };
  }
  const { lostFiles, lostPageCount, verdict } = verifyForecast.parse(json).scenarios[0];
  return { verdict, isLost: lostPageCount > 0 || lostFiles.length > 0 };
}

async function isWhole(name: string): Promise<boolean> {
  const bytes = await readAsFarAsPossible(cluster, `/${name}/file`);
  return contents.get(name)?.equals(bytes) === true;
}

function nodeNamed(name: string) {
  const node = cluster.dataNodes.find((candidate) => candidate.name === name);
  if (node === undefined) {
    throw new Error(`no DataNode ${name}`);
  }
  return node;
}

function readSnapshot(): Promise<StoredSnapshot> {
  return loadSnapshot(readPlacement);
}

async function loadSnapshot<T>(use: (from: Store, manifest: Manifest) => Promise<T>): Promise<T> {
  const snapshotStore = await openStore(cluster.webhdfsUrl('/pars'));
  try {
    return await use(snapshotStore, await loadManifest(snapshotStore, id));
  } finally {
    await snapshotStore.close();
  }
}

/** A group that holds less than a stripe has, and needs, fewer units of data. */
async function placementOfFile(name: string, dataUnits: number): Promise<Placement> {
  const blocks = await store.blocks(`${name}/file`);
  const nodes = [...new Set(blocks.flatMap(({ locations }) => locations))].sort();
  const ifLost: Part['ifLost'] = 'does-not-resume';
  return {
    nodes,
    blocks: blocks.map(({ sizeBytes, locations }) => ({
      unitNodes: locations.map((location) => nodes.indexOf(location)),
      neededUnitCount: Math.min(dataUnits, Math.ceil(sizeBytes / mebibyte)),
      ifLost,
    })),
  };
}

/** The names of all nodes that the blocks of everything stored are said to be on. */
async function holders(): Promise<readonly (readonly string[])[]> {
  const names = ['raw/file', 'coded/file'];
  for (const path of [`pars/packs/${id}`, 'pars/snapshots']) {
    names.push(...(await store.list(path)).map(({ name }) => name));
  }
  const blocks = await Promise.all(names.map((name) => store.blocks(name)));
  return blocks.flat().map(({ locations }) => locations);
}

/** Until every block has what it is to have. */
async function waitForAllCopies(): Promise<void> {
  const ofSnapshot = (await readSnapshot()).parts.reduce(
    (sum, { redundancy, blockCount }) => sum + placeCount(redundancy) * blockCount,
    0,
  );
  const ofFiles = [thrice, rs32].map(
    (redundancy) =>
      placeCount(redundancy) * blockCountOf(redundancy, fileSizeBytes, blockSizeBytes),
  );
  const { header } = await loadSnapshot((_, manifest) => Promise.resolve(manifest));
  // Page hashes are kept once, and are no part of what a guest is kept by.
  const ofHashes = header.pageHashes.length;
  const wanted = ofFiles.reduce((sum, count) => sum + count, ofSnapshot + ofHashes);
  await waitUntil(
    async () => (await holders()).reduce((sum, { length }) => sum + length, 0) === wanted,
  );
}

async function waitUntil(isReached: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + settledMs;
  while (!(await isReached())) {
    if (performance.now() > deadlineMs) {
      throw new Error(`not reached within ${settledMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
