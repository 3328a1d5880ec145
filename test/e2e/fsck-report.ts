// What `hdfs fsck PATH -files -blocks -locations` says of each file: the judge of where copies are.
//
//   /pars/packs/1f/000000.pack 64888104 bytes, replicated: replication=1, 1 block(s):  OK
//   0. BP-1-127.0.0.1-1:blk_1073741825_1001 len=64888104 Live_repl=1  [DatanodeInfoWithStorage[127.0.0.1:2,DS-3,DISK]]
//
// and of a coded one, whose groups have a unit on each node, the first of which gives the group its name:
//
//   /pars/packs/1f/000001.pack 64888104 bytes, erasure-coded: policy=RS-3-2-1024k, 1 block(s):  OK
//   0. BP-1-127.0.0.1-1:blk_-922_1002 len=64888104 Live_repl=5  [blk_-922:DatanodeInfoWithStorage[127.0.0.1:2,DS-3,DISK], ...]

import type { HdfsCluster } from '../hdfs/cluster.js';

export interface FsckFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** As set for the file; 0 where it is coded. */
  readonly replication: number;
  /** The policy of a coded file. */
  readonly code: string | undefined;
  readonly blocks: readonly FsckBlock[];
}

export interface FsckBlock {
  /** What its file is called in a DataNode's folder: `blk_1073741825`. */
  readonly name: string;
  /** `host:port` of each live copy. */
  readonly locations: readonly string[];
  /** What the units of a group are called, in the order of the locations; empty where there are copies. */
  readonly unitNames: readonly string[];
}

export async function fsckFiles(cluster: HdfsCluster, path: string): Promise<readonly FsckFile[]> {
  return parseFsck(await cluster.fsck(path));
}

const filePattern =
  /^(\/\S+) (\d+) bytes, (?:replicated: replication=(\d+)|erasure-coded: policy=(\S+)), (\d+) block\(s\):/;
const blockPattern = /^\d+\. BP-\S+:(blk_-?\d+)_\d+ len=\d+ (.*)$/;
const unitPattern = /(blk_-?\d+):DatanodeInfoWithStorage/g;
const locationPattern = /DatanodeInfoWithStorage\[([^,\]]+),/g;

function parseFsck(report: string): readonly FsckFile[] {
  const files: {
    path: string;
    sizeBytes: number;
    replication: number;
    code: string | undefined;
    blockCount: number;
    blocks: FsckBlock[];
  }[] = [];
  for (const line of report.split('\n')) {
    const file = filePattern.exec(line);
    if (file !== null) {
      const [, path, sizeBytes, replication = '0', , blockCount] = file;
      const code = (file as readonly (string | undefined)[])[4];
      files.push({
        path,
        sizeBytes: Number(sizeBytes),
        replication: Number(replication),
        code,
        blockCount: Number(blockCount),
        blocks: [],
      });
      continue;
    }
    const block = blockPattern.exec(line);
    if (block !== null) {
      const [, name, places] = block;
      const locations = [...places.matchAll(locationPattern)].map(([, location]) => location);
      const unitNames = [...places.matchAll(unitPattern)].map(([, unit]) => unit);
      files.at(-1)?.blocks.push({ name, locations, unitNames });
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
