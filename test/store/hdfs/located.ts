// Blocks for tests without a NameNode.

import type { DatanodeInfo, LocatedBlock } from '../../../src/store/hdfs/proto/hdfs.js';
import { DataNodeConnector } from '../../../src/store/hdfs/transfer/data-node-connector.js';

export function dataNodeAt(port: number): DatanodeInfo {
  return {
    id: {
      ipAddr: '127.0.0.1',
      hostName: 'localhost',
      datanodeUuid: String(port),
      xferPort: port,
      infoPort: 1,
      ipcPort: 2,
    },
    location: '/default-rack',
  };
}

export function blockOn(ports: readonly number[]): LocatedBlock {
  return {
    b: { poolId: 'BP-1', blockId: 2n ** 63n + 5n, generationStamp: 1001n, numBytes: 0 },
    offset: 0,
    locs: ports.map(dataNodeAt),
    corrupt: false,
    blockToken: { identifier: Buffer.alloc(0), password: Buffer.alloc(0), kind: '', service: '' },
    storageTypes: ports.map(() => 1),
    storageIDs: ports.map((port) => `DS-${port}`),
  };
}

/** To DataNodes where they say they are, of a cluster that wants no proof. */
export function plainConnector(connectTimeoutMs: number): DataNodeConnector {
  return new DataNodeConnector({
    connectTimeoutMs,
    dataNodes: new Map(),
    usesHostnames: false,
    isProven: () => false,
    protections: undefined,
    encryptionKey: () => Promise.resolve(undefined),
  });
}
