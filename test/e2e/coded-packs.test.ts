// Critical pages in RS-6-3 on nine DataNodes: any three may go. By computation over where the units really are for each of the 84
// choices of three, and for some with the nodes killed and the guest resumed; with a unit gone bad on its disk, that HDFS notices
// and one that it cannot. Judges are fsck, `hdfs ec`, `hdfs dfs -cat`, the image, and the guest's own checksums.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { pageClasses } from '../../introspect/page-class.js';
import { loadManifest } from '../../src/catalog/catalog.js';
import type { Manifest } from '../../src/manifest/types.js';
import { readPlacement } from '../../src/measure/read-placement.js';
import { tryChoices } from '../../src/report/model/placement.js';
import { openStore } from '../../src/store/open-store.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { resumeGuest } from '../guest/guest.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import { type HdfsCluster, type HdfsDataNode, startHdfs } from '../hdfs/cluster.js';
import { eachInWhole, testInWhole } from '../slice.js';
import { errorAnswer, restoreAnswer, uploadAnswer, verifyAnswer } from './command-answers.js';
import { pagesOfFrames } from './expected-loss.js';
import { sha256Of } from './file-hash.js';
import { type FsckFile, fsckFiles } from './fsck-report.js';
import { clusterStartTimeoutMs, hdfsDfs, readFromHdfs } from './hdfs-cluster.js';
import { differingBits, differingPages } from './pages.js';
import { expectPars, runPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const nodeCount = 9;
const setUpTimeoutMs = 2 * clusterStartTimeoutMs + 300_000;
const testTimeoutMs = 300_000;
const noticeTimeoutMs = 120_000;
const fsckPatienceMs = 120_000;
const usage = 2;
const corrupt = 10;
const lessThanWanted = 22;
const code = 'RS-6-3-1024k';

/** By the numbers of the nodes; whichever they are, each node has a unit of every group. */
const choices: readonly (readonly number[])[] = [
  [0, 4, 8],
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 5, 7],
  [1, 3, 8],
  [2, 4, 6],
];

let cluster: HdfsCluster;
let folder: TemporaryFolder;
let guest: SnapshotFixture;
let storeUrl: string;
let policyPath: string;
let id: string;
let manifest: Manifest;
const pars = (...args: readonly string[]) => runPars([...args, '--json'], { storeUrl });
const upload = (policy: string) => [
  ...['upload', guest.ramPath, '--state', guest.statePath, '--name', 'aged', '--policy', policy],
  '--json',
];

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  guest = await fixtureGuest('aged');
  policyPath = policyFile('rs-6-3');
  // Beside eight others and the NameNode.
  cluster = await startHdfs({ dataNodeCount: nodeCount, jvmFlags: ['-Xmx96m'] });
  storeUrl = cluster.webhdfsUrl('/pars', userInfo().username);
}, setUpTimeoutMs);

afterAll(async () => {
  await (cluster as HdfsCluster | undefined)?.close();
  await folder.remove();
}, testTimeoutMs);

function policyFile(critical: string): string {
  const path = join(folder.path, `${critical}.yaml`);
  writeFileSync(path, `default: { critical: ${critical} }\n`);
  return path;
}

test(
  'a code that is not enabled, and one that the cluster is too small for, are refused with nothing written',
  async () => {
    const expectRefused = async (policy: string, ...says: readonly string[]) => {
      const outcome = await runPars(upload(policy), { storeUrl });
      expect(outcome.exitCode).toBe(usage);
      const { error } = errorAnswer.parse(outcome.json);
      for (const part of says) {
        expect(error.message).toContain(part);
      }
    };
    await expectRefused(
      policyFile('rs-3-2'),
      'not enabled',
      'hdfs ec -enablePolicy -policy RS-3-2-1024k',
    );
    // The other one is HDFS's default, and enabled from the start.
    expect((await cluster.hdfsEc(['-enablePolicy', '-policy', 'RS-10-4-1024k'])).exitCode).toBe(0);
    await expectRefused(policyFile('rs-10-4'), 'needs 14 DataNodes', 'has 9 alive');
    expect(await hdfsDfs(cluster, '-ls', '-C', '/')).toBe('');
  },
  testTimeoutMs,
);

test(
  'an upload keeps critical packs in the code, expendable ones once, and the rest four times: HDFS says the same',
  async () => {
    ({ id } = uploadAnswer.parse((await expectPars(0, upload(policyPath), { storeUrl })).json));
    const store = await openStore(storeUrl);
    try {
      manifest = await loadManifest(store, id);
    } finally {
      await store.close();
    }
    const { packs, attachments, bodies } = manifest.header;
    const coded = packs.filter((pack) => pack.code !== undefined);
    expect(coded.length).toBeGreaterThan(0);
    expect(coded.length).toBeLessThan(packs.length);
    const wanted = new Map<string, string>([
      ...packs.map(({ name, replication }): [string, string] => [name, keptAs(replication)]),
      ...[...attachments, ...bodies].map(({ name }): [string, string] => [name, keptAs(4)]),
    ]);
    const files = await healthyFiles();
    for (const [name, kept] of wanted) {
      const file = files.find(({ path }) => path === `/pars/${name}`);
      expect([name, file?.code ?? keptAs(file?.replication)]).toEqual([name, kept]);
      expect([name, file?.blocks.map(({ locations }) => new Set(locations).size)]).toEqual([
        name,
        [kept === code ? nodeCount : Number(kept)],
      ]);
    }
    const [{ name, sizeBytes }] = coded;
    expect((await cluster.hdfsEc(['-getPolicy', '-path', `/pars/${name}`])).stdout).toContain(code);
    // HDFS's own client decodes the same bytes as a DataNode does for us.
    const local = join(folder.path, 'gotten');
    await hdfsDfs(cluster, '-get', `/pars/${name}`, local);
    const read = await readFromHdfs(cluster, `/pars/${name}`);
    expect(read.length).toBe(sizeBytes);
    expect(Buffer.compare(readFileSync(local), read)).toBe(0);
    const verified = await pars('verify', id, '--read-data');
    expect(verified.exitCode).toBe(0);
    expect(verifyAnswer.parse(verified.json).underReplicated).toEqual([]);
    expect(await hdfsDfs(cluster, '-ls', '-C', `/pars/coding/${code}`)).toBe('');
  },
  testTimeoutMs,
);

/** Copies in words, or the code. */
function keptAs(replication: number | undefined): string {
  return replication === undefined ? code : String(replication);
}

test(
  'by computation 84 of 84 choices of three nodes leave a guest that resumes, and no choice of four does',
  async () => {
    const store = await openStore(storeUrl);
    try {
      const { placement } = await readPlacement(store, manifest);
      if (placement === undefined) {
        throw new Error('expected a placement of units');
      }
      const counts = new Map<string, number>();
      tryChoices(placement, 4, (gone, outcome) => {
        const isFatal = outcome === 'does-not-resume';
        const key = `${gone.length} ${isFatal ? 'fatal' : 'resumes'}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      });
      expect(counts.get('3 resumes')).toBe(84);
      expect(counts.get('3 fatal')).toBeUndefined();
      expect(counts.get('4 fatal')).toBe(126);
    } finally {
      await store.close();
    }
  },
  testTimeoutMs,
);

test(
  'what the cluster could have is told: RS-6-3 can be had, RS-10-4 lacks nodes, RS-3-2 is not enabled',
  async () => {
    const outcome = await pars('report', id, '--advise');
    expect(outcome.exitCode).toBe(0);
    const { advice } = outcome.json as {
      advice: {
        liveNodeCount: number;
        rackCount: number;
        choices: { name: string; lacks: unknown }[];
      };
    };
    expect(advice).toMatchObject({ liveNodeCount: nodeCount, rackCount: 1 });
    const lacks = new Map(advice.choices.map((choice) => [choice.name, choice.lacks]));
    expect(lacks.get('3 copies')).toBeNull();
    expect(lacks.get(code)).toBeNull();
    expect(lacks.get('RS-10-4-1024k')).toContain('needs 14 DataNodes');
    expect(lacks.get('RS-3-2-1024k')).toContain('not enabled');
  },
  testTimeoutMs,
);

eachInWhole(choices)(
  'with the nodes %i, %i and %i killed critical pages are whole, and the guest resumes',
  async (...numbers) => {
    const victims = numbers.map((number) => cluster.dataNodes[number]);
    const out = join(folder.path, `without-${numbers.join('-')}`);
    let rereadFolioCount = 0;
    await withDead(victims, async () => {
      const restored = await expectPars(0, ['restore', id, '--out', out, '--json'], { storeUrl });
      const { lost, healing } = restoreAnswer.parse(restored.json);
      expect(healing.unhealedPageCount).toBe(0);
      rereadFolioCount = healing.rereadFolioCount;
      const expendable = pageClasses.filter((entry) => entry.expendable).map(({ label }) => label);
      expect(expendable).toEqual(
        expect.arrayContaining([...new Set(lost.map(({ label }) => label))]),
      );
    });
    const differing = new Set(differingPages(guest.ramPath, join(out, 'ram')).pages);
    const { packs } = manifest.header;
    const inCode = pagesOfFrames(
      manifest,
      (frame) => packs[manifest.frames.pack[frame]].code !== undefined,
    );
    // Healing clears a flag of each lost folio of cache, in struct pages, which are critical: those bits, and no others.
    const changed = inCode.filter((page) => differing.has(page));
    expect(differingBits(guest.ramPath, join(out, 'ram'), changed)).toEqual({
      clearedCount: rereadFolioCount,
      setCount: 0,
    });
    expect(await sha256Of(join(out, 'state'))).toBe(await sha256Of(guest.statePath));
    const resumed = await resumeGuest(guest, {
      ramPath: join(out, 'ram'),
      statePath: join(out, 'state'),
    });
    try {
      expect(await resumed.checksums()).toEqual(guest.checksums);
    } finally {
      await resumed.close();
    }
  },
  testTimeoutMs,
);

testInWhole(
  'parity that is wrong and that HDFS takes for right makes no page: our own check refuses what is decoded with it',
  async () => {
    const { file, unitPaths, nodes } = await unitsOfCodedPack();
    const saved = unitPaths.slice(6).map((path) => [path, readFileSync(path)] as const);
    const savedMeta = unitPaths.slice(6).map((path) => metaOf(path));
    for (const [path, bytes] of saved) {
      const wrong = flipped(bytes);
      writeFileSync(path, wrong);
      rewriteChecksums(metaOf(path).path, wrong);
    }
    try {
      // Reading data alone nobody notices.
      await expectPars(0, ['verify', id, '--read-data'], { storeUrl });
      await withDead(nodes.slice(0, 3), async () => {
        const out = join(folder.path, 'wrong-parity');
        const refused = await pars('restore', id, '--out', out);
        expect(refused.exitCode).toBe(corrupt);
        const { lost } = restoreAnswer.parse(refused.json);
        expect(lost.some(({ reason }) => reason === 'corrupt')).toBe(true);
        expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
      });
    } finally {
      for (const [path, bytes] of saved) {
        writeFileSync(path, bytes);
      }
      for (const { path, bytes } of savedMeta) {
        writeFileSync(path, bytes);
      }
    }
    expect(file.code).toBe(code);
    await expectPars(0, ['verify', id, '--read-data'], { storeUrl });
  },
  2 * testTimeoutMs,
);

// Last: where every node has a unit, nothing makes the bad one again.
test(
  'a unit that went bad on its disk is decoded around, and found',
  async () => {
    const { file, unitPaths } = await unitsOfCodedPack();
    const unitPath = unitPaths[0];
    const whole = readFileSync(unitPath);
    writeFileSync(unitPath, flipped(whole));
    const out = join(folder.path, 'bad-unit');
    await expectPars(0, ['restore', id, '--out', out], { storeUrl });
    expect(await sha256Of(join(out, 'ram'))).toBe(await sha256Of(guest.ramPath));

    // Reading told HDFS, which counts the unit no more; each other node has a unit of the group, so none can take it.
    const verified = await pars('verify', id);
    expect(verified.exitCode).toBe(lessThanWanted);
    expect(verifyAnswer.parse(verified.json).underReplicated).toEqual([
      expect.objectContaining({
        name: file.path.slice('/pars/'.length),
        found: nodeCount - 1,
        wanted: nodeCount,
      }),
    ]);
    const report = await cluster.fsck(file.path);
    expect(report).toContain('Live_repl=8');
    expect(report).toMatch(/Missing internal blocks:\s+1 /);
  },
  testTimeoutMs,
);

/** Kills, waits until the NameNode knows, does, and leaves the cluster whole again. */
async function withDead(victims: readonly HdfsDataNode[], act: () => Promise<void>): Promise<void> {
  await Promise.all(victims.map((node) => node.kill()));
  try {
    await cluster.waitForLiveDataNodes(nodeCount - victims.length, noticeTimeoutMs);
    await act();
  } finally {
    await Promise.all(victims.map((node) => node.restart()));
    await cluster.waitForLiveDataNodes(nodeCount, noticeTimeoutMs);
    await healthyFiles();
  }
}

/** The packs, once fsck counts every unit and copy. */
async function healthyFiles(): Promise<readonly FsckFile[]> {
  const deadlineMs = performance.now() + fsckPatienceMs;
  for (;;) {
    const files = await fsckFiles(cluster, '/pars/packs');
    const isWhole = files.every(({ code: coded, replication, blocks }) =>
      blocks.every(
        ({ locations }) =>
          new Set(locations).size >= (coded === undefined ? replication : nodeCount),
      ),
    );
    if (isWhole) {
      return files;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`not all units are there: ${JSON.stringify(files)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Where each unit of the largest coded pack lies on disk, data first, and on which node. */
async function unitsOfCodedPack() {
  const files = await healthyFiles();
  const [file] = files
    .filter(({ path, code: coded }) => path.startsWith(`/pars/packs/${id}/`) && coded === code)
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
  const [{ unitNames, locations }] = file.blocks;
  // A group's units have its number and those behind it.
  const order = [...unitNames.keys()].sort((a, b) =>
    Number(BigInt(unitNames[a].slice(4)) - BigInt(unitNames[b].slice(4))),
  );
  const nodes = order.map((at) => {
    const node = cluster.dataNodes.find(({ name }) => name === locations[at]);
    if (node === undefined) {
      throw new Error(`no DataNode ${locations[at]}`);
    }
    return node;
  });
  const unitPaths = order.map((at, unit) => {
    const { dataFolder } = nodes[unit];
    const found = readdirSync(dataFolder, { recursive: true, encoding: 'utf8' }).find((path) =>
      path.endsWith(`/${unitNames[at]}`),
    );
    if (found === undefined) {
      throw new Error(`no ${unitNames[at]} in ${dataFolder}`);
    }
    return join(dataFolder, found);
  });
  return { file, unitPaths, nodes };
}

/** A byte in every page: whichever pages are looked at, they are wrong. */
function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  for (let at = 100; at < changed.length; at += 4096) {
    changed[at] ^= 1;
  }
  return changed;
}

/** The checksums that HDFS has beside a block: `blk_1_1001.meta`. */
function metaOf(unitPath: string): { readonly path: string; readonly bytes: Buffer } {
  const parent = join(unitPath, '..');
  const unit = unitPath.slice(parent.length + 1);
  const name = readdirSync(parent).find(
    (entry) => entry.startsWith(`${unit}_`) && entry.endsWith('.meta'),
  );
  if (name === undefined) {
    throw new Error(`no checksums beside ${unitPath}`);
  }
  const path = join(parent, name);
  return { path, bytes: readFileSync(path) };
}

/** Version (2 bytes), type (1), bytes of each checksum (4), then a CRC32C of every 512 bytes. */
function rewriteChecksums(metaPath: string, bytes: Buffer): void {
  const meta = readFileSync(metaPath);
  const headerBytes = 7;
  expect(meta.readUInt32BE(3)).toBe(512);
  for (let chunk = 0; chunk * 512 < bytes.length; chunk++) {
    meta.writeUInt32BE(
      crc32c(bytes.subarray(chunk * 512, (chunk + 1) * 512)),
      headerBytes + 4 * chunk,
    );
  }
  writeFileSync(metaPath, meta);
}
