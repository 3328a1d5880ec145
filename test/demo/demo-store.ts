// Where the demo keeps its snapshot: five folders that stand for five disks, or a real HDFS with five DataNodes. Both
// come down to a store's URL and five places of which each may be lost for itself.

import { join } from 'node:path';
import { userInfo } from 'node:os';
import { pathToFileURL } from 'node:url';
import { startHdfs } from '../hdfs/cluster.js';

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
    close: () => Promise.resolve(),
  };
}

export async function hdfsStore(): Promise<DemoStore> {
  const cluster = await startHdfs({ dataNodeCount: 5 });
  return {
    // The superuser of this HDFS is whoever started it; without a name it would take us for nobody.
    url: cluster.webhdfsUrl('/pars', userInfo().username),
    nodes: cluster.dataNodes.map(({ name, dataFolder }, index) => ({
      name: `node${index + 1}`,
      location: name,
      folder: dataFolder,
    })),
    close: () => cluster.close(),
  };
}
