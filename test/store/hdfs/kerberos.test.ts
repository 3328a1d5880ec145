// A real HDFS with Kerberos: the store proves itself by a token of `hdfs fetchdt`, and what it sends is protected as both sides like
// it. Skipped, with the reason in its name, where there is no KDC to start.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../../../src/store/hadoop/configuration/folder.js';
import { openHdfsStore } from '../../../src/store/hdfs/hdfs-store.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { untilAnswering } from '../../hdfs/answering.js';
import { siteXml } from '../../hdfs/configuration.js';
import { whyNoKdc } from '../../hdfs/kdc.js';
import { type SecureCluster, startSecureHdfs, tokenOwner } from '../../hdfs/secure-cluster.js';
import { errorOf } from '../error-of.js';
import { expectWrittenAndRead, oddContent } from './written-and-read.js';

const mebibyte = 1024 * 1024;
const blockSizeBytes = 16 * mebibyte;
const testTimeoutMs = 300_000;
const why = whyNoKdc();

(why === undefined ? describe : describe.skip)(
  why === undefined ? 'with Kerberos' : `with Kerberos (${why})`,
  () => {
    let cluster: SecureCluster;
    let tokenFile: string;
    beforeAll(async () => {
      cluster = await startSecureHdfs();
      tokenFile = await fetchedToken('token');
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

    async function fetchedToken(name: string, args: readonly string[] = []): Promise<string> {
      const file = join(cluster.folder, name);
      const { exitCode, stderr } = await cluster.fetchToken(file, tokenOwner, args);
      if (exitCode !== 0) {
        throw new Error(`hdfs fetchdt ended with ${exitCode}: ${stderr}`);
      }
      return file;
    }

    /** A client's configuration that says this beside what it must. */
    async function clientOf(properties: Readonly<Record<string, string>>): Promise<Environment> {
      const folder = join(cluster.folder, `client-${Object.values(properties).join('-')}`);
      await mkdir(folder, { recursive: true });
      const site = siteXml({ ...cluster.clientProperties, ...properties });
      await writeFile(join(folder, 'hdfs-site.xml'), site);
      return { HADOOP_CONF_DIR: folder, HADOOP_TOKEN_FILE_LOCATION: tokenFile };
    }

    function protectedBy(protection: string): Promise<Environment> {
      return clientOf({
        'hadoop.rpc.protection': protection,
        'dfs.data.transfer.protection': protection,
      });
    }

    const once = { attemptCount: 1, firstDelayMs: 1, maxDelayMs: 1 };

    async function open(path: string, environment: Environment, userName?: string) {
      const store = await openHdfsStore(cluster.hdfsUrl(path, userName), { environment });
      openStores.push(store);
      return store;
    }

    test.each(['authentication', 'integrity', 'privacy'])(
      'what is written by a token with protection by %s is whole here and there',
      async (protection) => {
        const store = await open(`/${protection}`, await protectedBy(protection));
        await expectWrittenAndRead(store, 'folder/a', 2);
        expect((await store.blocks('folder/a'))[0].locations).toHaveLength(2);
        const local = join(cluster.folder, `${protection}-got`);
        const { exitCode } = await cluster.hdfsDfs(
          ['-get', `/${protection}/folder/a`, local],
          tokenOwner,
        );
        expect(exitCode).toBe(0);
        expect(Buffer.compare(await readFile(local), oddContent)).toBe(0);
      },
      testTimeoutMs,
    );

    test(
      'a DataNode with AES and one without are written to and read from, each alone',
      async () => {
        const environment = await protectedBy('privacy');
        for (const dataNode of cluster.dataNodes) {
          await dataNode.kill();
          const store = await open(`/without-${dataNode.name.replace(':', '-')}`, environment);
          await expectWrittenAndRead(store, 'a', 1);
          const [block] = await store.blocks('a');
          expect(block.locations).not.toContain(dataNode.name);
          await store.close();
          await dataNode.restart();
          await cluster.waitForLiveDataNodes(2);
          await untilAnswering([dataNode]);
        }
      },
      testTimeoutMs,
    );

    test('without a token it is refused, and the way to one is said', async () => {
      const url = cluster.hdfsUrl('/none');
      const byServer = await errorOf(openHdfsStore(url, { environment: {} }));
      const { HADOOP_CONF_DIR = '' } = await protectedBy('privacy');
      const byUs = await errorOf(openHdfsStore(url, { environment: { HADOOP_CONF_DIR } }));
      for (const error of [byServer, byUs]) {
        expect(error.code).toBe('permission-denied');
        expect(error.message).toContain('hdfs fetchdt');
        expect(error.message).toContain('HADOOP_TOKEN_FILE_LOCATION');
      }
      expect(byServer.message).toContain('SIMPLE authentication is not enabled');
    });

    test(
      'without the configuration DataNodes do not talk, and the property is named',
      async () => {
        const environment = { HADOOP_TOKEN_FILE_LOCATION: tokenFile };
        const options = { environment, retry: once };
        const store = await openHdfsStore(cluster.hdfsUrl('/unprotected'), options);
        openStores.push(store);
        const writing = store.write('a', () => [oddContent], {
          redundancy: copies(1),
          blockSizeBytes,
        });
        const error = await errorOf(writing);
        expect(error.code).toBe('unavailable');
        expect(error.message).toContain('dfs.data.transfer.protection');
      },
      testTimeoutMs,
    );

    test('a protection that the cluster has not is said', async () => {
      // Of a cluster that has all three, none is missing: so it is one of the client that is not known.
      const environment = await clientOf({ 'dfs.data.transfer.protection': 'secrecy' });
      const error = await errorOf(openHdfsStore(cluster.hdfsUrl('/x'), { environment }));
      expect(error.code).toBe('usage');
      expect(error.message).toContain(
        "expected authentication, integrity, privacy, found 'secrecy'",
      );
    });

    test("a token is its owner's", async () => {
      const environment = await protectedBy('integrity');
      expect((await open('/own', environment, tokenOwner)).url).toContain(`${tokenOwner}@`);
      const error = await errorOf(open('/own', environment, 'bob'));
      expect(error.code).toBe('usage');
      expect(error.message).toContain(`the user bob, and the token`);
    });

    test(
      'a token that was changed, and one that was cancelled, are refused for good',
      async () => {
        const environment = await protectedBy('integrity');
        const changed = Buffer.from(await readFile(tokenFile));
        // The secret of 20 bytes stands before the kind.
        changed[changed.indexOf('HDFS_DELEGATION_TOKEN') - 5] ^= 1;
        const forged = join(cluster.folder, 'forged');
        await writeFile(forged, changed);
        const url = cluster.hdfsUrl('/refused');
        const refusal = async (file: string) =>
          await errorOf(
            openHdfsStore(url, {
              environment: { ...environment, HADOOP_TOKEN_FILE_LOCATION: file },
            }),
          );
        expect((await refusal(forged)).code).toBe('permission-denied');
        const cancelled = await fetchedToken('cancelled', ['--renewer', tokenOwner]);
        await fetchedToken('cancelled', ['--cancel']);
        const error = await refusal(cancelled);
        expect(error.code).toBe('permission-denied');
        expect(error.message).toContain('get a new one');
      },
      testTimeoutMs,
    );
  },
);
