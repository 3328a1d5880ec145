// A real HDFS without Kerberos that gives out tokens all the same, and encrypts whatever DataNodes are sent. The first DataNode
// encrypts by AES, the second by 3DES.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openHdfsStore } from '../../../src/store/hdfs/hdfs-store.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { untilAnswering } from '../../hdfs/answering.js';
import { type HdfsCluster, startHdfs } from '../../hdfs/cluster.js';
import { siteXml } from '../../hdfs/configuration.js';
import { runHadoopCommand } from '../../hdfs/hadoop-command.js';
import { fetchTokenClass, hadoopJars, javaArguments } from '../../hdfs/java-command.js';
import { errorOf } from '../error-of.js';
import { expectWrittenAndRead, oddContent } from './written-and-read.js';

const testTimeoutMs = 300_000;
const blockSizeBytes = 16 * 1024 * 1024;

let cluster: HdfsCluster;
let tokenFile: string;
beforeAll(async () => {
  cluster = await startHdfs({
    dataNodeCount: 2,
    configOverrides: {
      'dfs.block.access.token.enable': 'true',
      'dfs.encrypt.data.transfer': 'true',
      'dfs.namenode.delegation.token.always-use': 'true',
      'hadoop.rpc.protection': 'authentication,integrity,privacy',
    },
    dataNodeOverrides: [{ 'dfs.encrypt.data.transfer.cipher.suites': 'AES/CTR/NoPadding' }],
  });
  tokenFile = join(cluster.folder, 'token');
  const fetching = javaArguments({
    jars: await hadoopJars(),
    configFolder: cluster.configFolder,
    mainClass: fetchTokenClass,
    arguments: [tokenFile],
  });
  const { exitCode, stderr } = await runHadoopCommand(fetching, undefined);
  if (exitCode !== 0) {
    throw new Error(`hdfs fetchdt ended with ${exitCode}: ${stderr}`);
  }
}, testTimeoutMs);
afterAll(async () => {
  await cluster.close();
});

const openStores: Store[] = [];
afterEach(async () => {
  for (const store of openStores.splice(0)) {
    await store.close();
  }
});

async function open(path: string, environment: Readonly<Record<string, string>> = {}) {
  const store = await openHdfsStore(cluster.hdfsUrl(path), { environment });
  openStores.push(store);
  return store;
}

/** A folder of configuration that says this. */
async function clientOf(properties: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(cluster.folder, `client-${Object.values(properties).join('-')}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'core-site.xml'), siteXml(properties));
  return folder;
}

test(
  'what is sent encrypted is whole here and there',
  async () => {
    await expectWrittenAndRead(await open('/encrypted'), 'a', 2);
    const local = join(cluster.folder, 'got');
    expect((await cluster.hdfsDfs(['-get', '/encrypted/a', local])).exitCode).toBe(0);
    expect(Buffer.compare(await readFile(local), oddContent)).toBe(0);
  },
  testTimeoutMs,
);

test(
  'a DataNode with AES and one without are written to and read from, each alone',
  async () => {
    for (const dataNode of cluster.dataNodes) {
      await dataNode.kill();
      const store = await open(`/without-${dataNode.name.replace(':', '-')}`);
      await expectWrittenAndRead(store, 'a', 1);
      expect((await store.blocks('a'))[0].locations).not.toContain(dataNode.name);
      await store.close();
      await dataNode.restart();
      await cluster.waitForLiveDataNodes(2);
      await untilAnswering([dataNode]);
    }
  },
  testTimeoutMs,
);

test.each(['authentication', 'integrity', 'privacy'])(
  'calls are protected by %s where the configuration likes that',
  async (protection) => {
    const store = await open(`/${protection}`, {
      HADOOP_TOKEN_FILE_LOCATION: tokenFile,
      HADOOP_CONF_DIR: await clientOf({ 'hadoop.rpc.protection': protection }),
    });
    await expectWrittenAndRead(store, 'a', 1);
    // A listing of some length, in one answer.
    for (let index = 0; index < 20; index++) {
      await store.write(`many/${'name'.repeat(30)}-${index}`, () => [], {
        redundancy: copies(1),
        blockSizeBytes,
      });
    }
    expect(await store.list('many')).toHaveLength(20);
  },
  testTimeoutMs,
);

test('a token of another cluster is passed over, and where a token is asked for, it is named', async () => {
  const other = Buffer.from(await readFile(tokenFile));
  const service = cluster.defaultFs.slice('hdfs://'.length);
  const at = other.lastIndexOf(service);
  expect(at).toBeGreaterThan(0);
  other.write('9', at);
  const file = join(cluster.folder, 'other');
  await writeFile(file, other);
  await expectWrittenAndRead(await open('/passed', { HADOOP_TOKEN_FILE_LOCATION: file }), 'a', 1);
  const error = await errorOf(
    open('/passed', {
      HADOOP_TOKEN_FILE_LOCATION: file,
      HADOOP_CONF_DIR: await clientOf({ 'hadoop.security.authentication': 'kerberos' }),
    }),
  );
  expect(error.code).toBe('permission-denied');
  expect(error.message).toContain(`found those of 9${service.slice(1)}`);
});
