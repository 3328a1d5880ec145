// What `hdfs fsck PATH -files -blocks -locations` says of each file: the judge of where copies are.
//
//   /pars/packs/1f/000000.pack 64888104 bytes, replicated: replication=1, 1 block(s):  OK
//   0. BP-1-127.0.0.1-1:blk_1073741825_1001 len=64888104 Live_repl=1  [DatanodeInfoWithStorage[127.0.0.1:2,DS-3,DISK]]

import type { HdfsCluster } from '../hdfs/cluster.js';

export interface FsckFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** As set for the file. */
  readonly replication: number;
  readonly blocks: readonly FsckBlock[];
}

export interface FsckBlock {
  /** What its file is called in a DataNode's folder: `blk_1073741825`. */
  readonly name: string;
  /** `host:port` of each live copy. */
  readonly locations: readonly string[];
}

export async function fsckFiles(cluster: HdfsCluster, path: string): Promise<readonly FsckFile[]> {
  return parseFsck(await cluster.fsck(path));
}

const filePattern = /^(\/\S+) (\d+) bytes, replicated: replication=(\d+), (\d+) block\(s\):/;
const blockPattern = /^\d+\. BP-\S+:(blk_\d+)_\d+ len=\d+ (.*)$/;
const locationPattern = /DatanodeInfoWithStorage\[([^,\]]+),/g;

function parseFsck(report: string): readonly FsckFile[] {
  const files: {
    path: string;
    sizeBytes: number;
    replication: number;
    blockCount: number;
    blocks: FsckBlock[];
  }[] = [];
  for (const line of report.split('\n')) {
    const file = filePattern.exec(line);
    if (file !== null) {
      const [, path, sizeBytes, replication, blockCount] = file;
      files.push({
        path,
        sizeBytes: Number(sizeBytes),
        replication: Number(replication),
        blockCount: Number(blockCount),
        blocks: [],
      });
      continue;
    }
    const block = blockPattern.exec(line);
    if (block !== null) {
      const [, name, places] = block;
      const locations = [...places.matchAll(locationPattern)].map(([, location]) => location);
      files.at(-1)?.blocks.push({ name, locations });
    }
  }
  for (const { path, blockCount, blocks } of files) {
    if (blocks.length !== blockCount) {
      throw new Error(
        `fsck names ${blockCount} blocks of ${path} and lists ${blocks.length}:\n${report}`,
      );
    }
  }
  return files;
}
