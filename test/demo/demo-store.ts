// Where the demo keeps its snapshot: five folders that stand for five disks, or a real HDFS with five DataNodes. Both
// come down to a store's URL and five places of which each may be lost for itself.

import { rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LocalStoreFolder } from '../e2e/local-store-folder.js';
import { startHdfs } from '../hdfs/cluster.js';
import { destroySingleCopies } from '../soak/destroy-blocks.js';

/** What is lost together: a disk or a DataNode. */
export interface StoreNode {
  /** Short, for tables. */
  readonly name: string;
  /** As the store names it in block locations. */
  readonly location: string;
  /** Where its bytes lie on this machine. */
  readonly folder: string;
}

export interface DemoStore {
  readonly url: string;
  readonly nodes: readonly StoreNode[];
  /** Takes these packs, of which there is one copy each, as broken disks would: nobody is told. */
  destroy(packNames: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** The folders themselves are made by the first command that opens the store. */
export function localStore(folder: string): DemoStore {
  const names = ['disk1', 'disk2', 'disk3', 'disk4', 'disk5'];
  return {
    url: pathToFileURL(folder).href,
    nodes: names.map((name) => {
      const disk = join(folder, name);
      return { name, location: disk, folder: disk };
    }),
    destroy: (packNames) => {
      const copies = new LocalStoreFolder(folder);
      packNames
        .flatMap((name) => copies.copiesOf(name))
        .forEach((path) => {
          rmSync(path);
        });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

const storePath = '/pars';

/** `protocol`: by WebHDFS, or by HDFS's own protocols. */
export async function hdfsStore(protocol: 'webhdfs' | 'hdfs'): Promise<DemoStore> {
  const cluster = await startHdfs({
    dataNodeCount: 5,
    // How long a DataNode looks for another copy of a block that is gone: the default is half a minute.
    configOverrides: { 'dfs.client.retry.window.base': '10' },
  });
  return {
    // The superuser of this HDFS is whoever started it; without a name it would take us for nobody.
    url:
      protocol === 'webhdfs'
        ? cluster.webhdfsUrl(storePath, userInfo().username)
        : cluster.hdfsUrl(storePath, userInfo().username),
    nodes: cluster.dataNodes.map(({ name, dataFolder }, index) => ({
      name: `node${index + 1}`,
      location: name,
      folder: dataFolder,
    })),
    destroy: async () => {
      await destroySingleCopies(cluster, storePath);
    },
    close: () => cluster.close(),
  };
}
