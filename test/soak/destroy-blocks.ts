// Takes the blocks of files from a real HDFS the way a broken disk does: their files vanish from the DataNodes' folders,
// and nobody tells the NameNode.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fsckFiles } from '../e2e/fsck-report.js';
import type { HdfsCluster } from '../hdfs/cluster.js';

/** Every block below `path` whose file has replication 1. Gives the number of blocks destroyed. */
export async function destroySingleCopies(cluster: HdfsCluster, path: string): Promise<number> {
  const files = await fsckFiles(cluster, path);
  const names = new Set(
    files
      .filter(({ replication }) => replication === 1)
      .flatMap(({ blocks }) => blocks.map(({ name }) => name)),
  );
  const destroyed = new Set<string>();
  for (const { dataFolder } of cluster.dataNodes) {
    for (const entry of readdirSync(dataFolder, { recursive: true, encoding: 'utf8' })) {
      // A block is two files: blk_N and blk_N_GENERATION.meta.
      const name = /(?:^|\/)(blk_\d+)(?:_\d+\.meta)?$/.exec(entry)?.[1];
      if (name !== undefined && names.has(name)) {
        rmSync(join(dataFolder, entry), { force: true });
        destroyed.add(name);
      }
    }
  }
  if (destroyed.size !== names.size) {
    throw new Error(`expected the files of ${names.size} blocks, found ${destroyed.size}`);
  }
  return destroyed.size;
}
