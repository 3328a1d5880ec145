// A store in a folder with erasure coding, or with a storage policy: what verify and report say of it is what a restore
// can do, with nodes really killed.

import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { loadManifest } from '../../src/catalog/catalog.js';
import { readPlacement } from '../../src/measure/read-placement.js';
import { tryChoices } from '../../src/report/model/placement.js';
import { openStore } from '../../src/store/open-store.js';
import { type HdfsCluster, type HdfsDataNode, startHdfs } from '../hdfs/cluster.js';
import { makeCodedFolder, makeFolder, setStoragePolicy } from '../hdfs/files-on-hdfs.js';
import { eachInWhole } from '../slice.js';
import { errorAnswer, uploadAnswer, verifyAnswer } from './command-answers.js';
import { clusterStartTimeoutMs } from './hdfs-cluster.js';
import { expectPars, runPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const testTimeoutMs = 300_000;
const noSpace = 8;
const dataLost = 9;
const noKernel = 20;
const lessThanWanted = 22;

let cluster: HdfsCluster;
let folder: TemporaryFolder;
let image: string;
const urlOf = (path: string) => cluster.webhdfsUrl(path, userInfo().username);

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  image = join(folder.path, 'image');
  // No kernel is found in noise, so every page is critical.
  makeRandomImage(image, 5);
  cluster = await startHdfs({ dataNodeCount: 5 });
}, clusterStartTimeoutMs);

afterAll(async () => {
  await (cluster as HdfsCluster | undefined)?.close();
  await folder.remove();
});

async function upload(storeUrl: string): Promise<string> {
  const outcome = await expectPars(noKernel, ['upload', image, '--name', 'noise', '--json'], {
    storeUrl,
  });
  return uploadAnswer.parse(outcome.json).id;
}

eachInWhole([['ALL_SSD'], ['LAZY_PERSIST']])(
  'a folder with the storage policy %s, whose disks the cluster lacks, falls back and works',
  async (policy) => {
    await makeFolder(cluster, `/${policy}`);
    await setStoragePolicy(cluster, `/${policy}`, policy);
    const storeUrl = urlOf(`/${policy}/pars`);
    await expectPars(0, ['verify', await upload(storeUrl), '--read-data'], { storeUrl });
  },
  testTimeoutMs,
);

test(
  'a folder with the storage policy COLD, whose disks the cluster lacks, is refused by name',
  async () => {
    await makeFolder(cluster, '/cold');
    await setStoragePolicy(cluster, '/cold', 'COLD');
    const outcome = await runPars(['upload', image, '--name', 'noise', '--json'], {
      storeUrl: urlOf('/cold/pars'),
    });
    expect(outcome.exitCode).toBe(noSpace);
    const { error } = errorAnswer.parse(outcome.json);
    expect(error.message).toContain('storage policy');
  },
  testTimeoutMs,
);

test(
  'in a folder with RS-3-2, two nodes may go and the third is fatal: verify, report and restore agree',
  async () => {
    await makeCodedFolder(cluster, '/coded', 'RS-3-2-1024k');
    const storeUrl = urlOf('/coded/pars');
    const id = await upload(storeUrl);
    const pars = (...args: readonly string[]) => runPars([...args, '--json'], { storeUrl });

    const whole = await pars('verify', id);
    expect(whole.exitCode).toBe(0);
    expect(verifyAnswer.parse(whole.json).underReplicated).toEqual([]);
    const store = await openStore(storeUrl);
    try {
      const { placement, parts } = await readPlacement(store, await loadManifest(store, id));
      expect(parts.map(({ redundancy }) => redundancy.kind)).toEqual(
        parts.map(() => 'reed-solomon'),
      );
      if (placement === undefined) {
        throw new Error('expected a placement of units');
      }
      tryChoices(placement, 3, (gone, outcome) => {
        expect({ gone, outcome }).toEqual({
          gone,
          outcome: gone.length < 3 ? 'nothing-lost' : 'does-not-resume',
        });
      });
    } finally {
      await store.close();
    }

    const [first, second, third] = cluster.dataNodes;
    await killNoticed([first, second]);
    const short = await pars('verify', id, '--read-data');
    expect(short.exitCode).toBe(lessThanWanted);
    const out = join(folder.path, 'out');
    await expectPars(0, ['restore', id, '--out', out], { storeUrl });
    expect(readFileSync(join(out, 'ram')).equals(readFileSync(image))).toBe(true);

    await killNoticed([third]);
    for (const command of [
      ['verify'],
      ['verify', '--read-data'],
      ['restore', '--out', `${out}2`],
    ]) {
      const [name, ...options] = command;
      const outcome = await pars(name, id, ...options);
      expect({ command, exitCode: outcome.exitCode }).toEqual({ command, exitCode: dataLost });
      expect(outcome.stdout).not.toContain('whole');
    }
    expect(existsSync(`${out}2`)).toBe(false);
  },
  testTimeoutMs,
);

async function killNoticed(nodes: readonly HdfsDataNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.kill()));
  await cluster.waitForLiveDataNodes(
    cluster.dataNodes.filter((node) => node.isRunning()).length,
    120_000,
  );
}
