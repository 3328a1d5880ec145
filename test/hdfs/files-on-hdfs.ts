// Files that are put into the cluster, counted and read by Hadoop's own means, apart from the program under test.

import { readdir, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { HdfsCluster } from './cluster.js';

export interface PutOptions {
  readonly replication: number;
  readonly blockSizeBytes: number;
}

/** `hdfs dfs -put`: HDFS's own client sends it, and codes it where the folder says so. */
export async function putFile(
  cluster: HdfsCluster,
  localPath: string,
  path: string,
  { replication, blockSizeBytes }: PutOptions,
): Promise<void> {
  const { exitCode, stderr } = await cluster.hdfsDfs([
    '-D',
    `dfs.replication=${replication}`,
    '-D',
    `dfs.blocksize=${blockSizeBytes}`,
    '-put',
    localPath,
    path,
  ]);
  if (exitCode !== 0) {
    throw new Error(`hdfs dfs -put ${path} ended with ${exitCode}: ${stderr}`);
  }
}

export async function makeFolder(cluster: HdfsCluster, path: string): Promise<void> {
  await ask(cluster, 'PUT', path, { op: 'MKDIRS' });
}

/** Makes a folder whose files will be coded; `policy` as HDFS names it: RS-3-2-1024k. */
export async function makeCodedFolder(
  cluster: HdfsCluster,
  path: string,
  policy: string,
): Promise<void> {
  await makeFolder(cluster, path);
  await ask(cluster, 'PUT', '/', { op: 'ENABLEECPOLICY', ecpolicy: policy });
  await ask(cluster, 'PUT', path, { op: 'SETECPOLICY', ecpolicy: policy });
}

export async function setStoragePolicy(
  cluster: HdfsCluster,
  path: string,
  policy: string,
): Promise<void> {
  await ask(cluster, 'PUT', path, { op: 'SETSTORAGEPOLICY', storagepolicy: policy });
}

const contentSummary = z.object({ ContentSummary: z.object({ spaceConsumed: z.number() }) });

/** What the NameNode says that a file, or all below a folder, takes on all disks. */
export async function spaceConsumed(cluster: HdfsCluster, path: string): Promise<number> {
  const answer = await ask(cluster, 'GET', path, { op: 'GETCONTENTSUMMARY' });
  return contentSummary.parse(await answer.json()).ContentSummary.spaceConsumed;
}

/** Bytes of all whole blocks in the DataNodes' folders, without their checksums. */
export async function blockBytesOnDisks(cluster: HdfsCluster): Promise<number> {
  let sum = 0;
  for (const { dataFolder } of cluster.dataNodes) {
    const names = await readdir(dataFolder, { recursive: true });
    for (const name of names) {
      if (/\/finalized\/.*\/blk_[^/.]+$/.test(name)) {
        sum += (await stat(join(dataFolder, name))).size;
      }
    }
  }
  return sum;
}

/** All that a DataNode hands out of a file: less than there is, or nothing, where blocks are lost. */
export async function readAsFarAsPossible(cluster: HdfsCluster, path: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  try {
    const { body } = await ask(cluster, 'GET', path, { op: 'OPEN' });
    for await (const piece of body ?? []) {
      pieces.push(piece as Uint8Array);
    }
  } catch {
    // The connection broke, or it was refused at once.
  }
  return Buffer.concat(pieces);
}

async function ask(
  cluster: HdfsCluster,
  method: 'GET' | 'PUT',
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<Response> {
  const asked = new URLSearchParams({ 'user.name': userInfo().username, ...query });
  const url = `${cluster.nameNodeHttpUrl}/webhdfs/v1${path}?${asked.toString()}`;
  const answer = await fetch(url, { method });
  if (!answer.ok) {
    throw new Error(`${query['op']} ${path}: HTTP ${answer.status} ${await answer.text()}`);
  }
  return answer;
}
