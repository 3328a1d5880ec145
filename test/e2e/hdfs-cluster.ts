// A real HDFS for one test file, and what the tests ask of it apart from the program under test.

import { userInfo } from 'node:os';
import { type HdfsCluster, startHdfs } from '../hdfs/cluster.js';
import type { Properties } from '../hdfs/configuration.js';

export const clusterStartTimeoutMs = 180_000;

export interface StoreOnHdfs {
  readonly cluster: HdfsCluster;
  /** Absolute in HDFS. */
  readonly rootPath: string;
  readonly url: string;
}

/** The store's URL is one of WebHDFS, or with PARS_TEST_HDFS=native of HDFS's own protocols. */
export async function startStoreOnHdfs(configOverrides: Properties = {}): Promise<StoreOnHdfs> {
  const cluster = await startHdfs({ dataNodeCount: 5, configOverrides });
  const rootPath = '/pars';
  const user = userInfo().username;
  const isNative = process.env['PARS_TEST_HDFS'] === 'native';
  const url = isNative ? cluster.hdfsUrl(rootPath, user) : cluster.webhdfsUrl(rootPath, user);
  return { cluster, rootPath, url };
}

/** `hdfs dfs ...`: throws, with what it said, when it fails. */
export async function hdfsDfs(cluster: HdfsCluster, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.hdfsDfs(args);
  if (exitCode !== 0) {
    throw new Error(`hdfs dfs ${args.join(' ')} ended with ${exitCode}: ${stderr}`);
  }
  return stdout;
}

/** A file's bytes, read by WebHDFS without our client. */
export async function readFromHdfs(cluster: HdfsCluster, path: string): Promise<Uint8Array> {
  const query = `op=OPEN&user.name=${encodeURIComponent(userInfo().username)}`;
  const answer = await fetch(`${cluster.nameNodeHttpUrl}/webhdfs/v1${path}?${query}`);
  if (!answer.ok) {
    throw new Error(`OPEN ${path}: HTTP ${answer.status} ${await answer.text()}`);
  }
  return new Uint8Array(await answer.arrayBuffer());
}
