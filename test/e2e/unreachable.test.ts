// A client that does not know the DataNodes' names, as one outside of the cluster's containers: every byte is in HDFS, and
// nothing is taken for lost, healed away or removed. With a map of the names all of it works.

import { existsSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/open-store.js';
import { copies } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import { UnreachableCopies } from '../../src/store/unreachable.js';
import { type HdfsCluster, startHdfs } from '../hdfs/cluster.js';
import { sliceOf } from '../slice.js';
import { destroySingleCopies } from '../soak/destroy-blocks.js';
import { errorOf } from '../store/error-of.js';
import { errorAnswer, listAnswer, uploadAnswer } from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { clusterStartTimeoutMs, hdfsDfs } from './hdfs-cluster.js';
import { expectPars, runPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const testTimeoutMs = 240_000;
const unavailable = 7;
const noKernel = 20;
/** Reserved so that nobody has it (RFC 6761). */
const hiddenName = 'data-node.invalid';

let cluster: HdfsCluster;
let folder: TemporaryFolder;
let image: string;
let id: string;
/** With the map, and without. */
let mappedUrl: string;
let url: string;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  image = join(folder.path, 'image');
  makeRandomImage(image, 2);
  cluster = await startHdfs({
    dataNodeCount: 3,
    configOverrides: {
      'dfs.datanode.hostname': hiddenName,
      // How long a DataNode looks for another copy of a block that is gone: the default is half a minute.
      'dfs.client.retry.window.base': '10',
    },
  });
  url = cluster.webhdfsUrl('/pars', userInfo().username);
  mappedUrl = `${url}&datanodes=${hiddenName}=127.0.0.1`;
  const upload = await expectPars(noKernel, ['upload', image, '--name', 'vm', '--json'], {
    storeUrl: mappedUrl,
  });
  ({ id } = uploadAnswer.parse(upload.json));
}, clusterStartTimeoutMs + testTimeoutMs);

afterAll(async () => {
  await (cluster as HdfsCluster | undefined)?.close();
  await folder.remove();
});

test(
  'with the map, everything works',
  async () => {
    const out = join(folder.path, 'mapped');
    await expectPars(0, ['restore', id, '--out', out], { storeUrl: mappedUrl });
    expect(await sha256Of(join(out, 'ram'))).toBe(await sha256Of(image));
    await expectPars(0, ['verify', id, '--read-data'], { storeUrl: mappedUrl });
  },
  testTimeoutMs,
);

test(
  'without it, list says that it cannot reach the manifest, and what to do',
  async () => {
    const outcome = await runPars(['list', '--json'], { storeUrl: url });
    expect(outcome.exitCode).toBe(unavailable);
    expect(listAnswer.parse(outcome.json)).toEqual([]);
    for (const part of [id, hiddenName, 'datanodes=NAME=ADDRESS']) {
      expect(outcome.stderr).toContain(part);
    }
  },
  testTimeoutMs,
);

test(
  'without it, no command takes anything for lost or removes it',
  async () => {
    const before = await hdfsDfs(cluster, '-ls', '-R', '-C', '/');
    const out = join(folder.path, 'unreachable');
    const commands = [
      ['verify', id, '--read-data'],
      ['restore', id, '--out', out, '--allow-lost'],
      // The manifest says what there is to heal.
      ['restore', id, '--out', out, '--heal-unreachable'],
      ['delete', id],
      ['forget', '--name', 'vm', '--keep-last', '1'],
      ['prune'],
      ['show', id],
      ['verify', id],
      ['report', id],
      ['report', '--vm', 'vm'],
      ['report', '--fleet'],
      ['restore', id, '--out', out],
    ];
    for (const command of sliceOf(commands, 6)) {
      const outcome = await runPars(command, { storeUrl: url });
      expect({ command, exitCode: outcome.exitCode }).toEqual({ command, exitCode: unavailable });
      expect(outcome.stderr).toContain(hiddenName);
    }
    expect(existsSync(out)).toBe(false);
    expect(await hdfsDfs(cluster, '-ls', '-R', '-C', '/')).toBe(before);
  },
  testTimeoutMs,
);

test(
  'without it, an upload ends in words, and leaves nothing',
  async () => {
    const before = await hdfsDfs(cluster, '-ls', '-R', '-C', '/pars/snapshots');
    const small = join(folder.path, 'small');
    writeFileSync(small, Buffer.alloc(16 * 4096, 'page'));
    const outcome = await runPars(['upload', small, '--name', 'other', '--json'], {
      storeUrl: url,
    });
    expect(outcome.exitCode).toBe(unavailable);
    const { error } = errorAnswer.parse(outcome.json);
    expect(error.message).toContain(hiddenName);
    expect(error.message).toContain('datanodes=NAME=ADDRESS');
    expect(await hdfsDfs(cluster, '-ls', '-R', '-C', '/pars/snapshots')).toBe(before);
  },
  testTimeoutMs,
);

test(
  'a copy that its DataNode itself misses is lost, not out of reach',
  async () => {
    const [mapped, plain] = await Promise.all([openStore(mappedUrl), openStore(url)]);
    const write = (store: Store, name: string) =>
      store.write(name, () => [Buffer.alloc(5000, name)], {
        redundancy: copies(1),
        blockSizeBytes: 2 ** 20,
      });
    try {
      await write(mapped, 'once');
      expect(await errorOf(plain.read('once', 0, 10))).toBeInstanceOf(UnreachableCopies);
      await destroySingleCopies(cluster, '/pars/once');
      const error = await errorOf(mapped.read('once', 0, 10));
      expect({ code: error.code, message: error.message }).toMatchObject({ code: 'data-lost' });
      await mapped.remove('once');
    } finally {
      await mapped.close();
      await plain.close();
    }
  },
  testTimeoutMs,
);
