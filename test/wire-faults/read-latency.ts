// How long reads take with a DataNode that is stopped, beside how long they take without.

import pLimit from 'p-limit';
import { openHdfsStore } from '../../src/store/hdfs/hdfs-store.js';
import { copies } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import type { HdfsCluster } from '../hdfs/cluster.js';

const mebibyte = 2 ** 20;
const fileCount = 8;
const fileBytes = 16 * mebibyte;
const pieceBytes = mebibyte;
const roundCount = 16;
/** As a restore reads. */
const atOnce = 4;

export interface ReadLatency {
  readonly readCount: number;
  readonly well: { readonly p50Ms: number; readonly p99Ms: number };
  /** With one of the DataNodes stopped, by SIGSTOP. */
  readonly stopped: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
}

export async function measureReads(cluster: HdfsCluster): Promise<ReadLatency> {
  const folder = '/read-latency';
  const store = await openHdfsStore(cluster.hdfsUrl(folder));
  try {
    for (let file = 0; file < fileCount; file++) {
      await store.write(nameOf(file), () => [Buffer.alloc(fileBytes, file + 1)], {
        redundancy: copies(3),
        blockSizeBytes: fileBytes,
      });
    }
    // Warm, as in the middle of a restore.
    await readAll(store, 2);
    const well = await readAll(store, roundCount);
    const [node] = cluster.dataNodes;
    process.kill(node.pid, 'SIGSTOP');
    try {
      const stopped = await readAll(store, roundCount);
      return {
        readCount: well.length,
        well: { p50Ms: quantile(well, 0.5), p99Ms: quantile(well, 0.99) },
        stopped: {
          p50Ms: quantile(stopped, 0.5),
          p99Ms: quantile(stopped, 0.99),
          maxMs: quantile(stopped, 1),
        },
      };
    } finally {
      process.kill(node.pid, 'SIGCONT');
    }
  } finally {
    for (let file = 0; file < fileCount; file++) {
      await store.remove(nameOf(file));
    }
    await store.close();
  }
}

async function readAll(store: Store, rounds: number): Promise<readonly number[]> {
  const pieces = Array.from(
    { length: rounds * fileCount * (fileBytes / pieceBytes) },
    (_, index) => ({
      file: index % fileCount,
      offsetBytes: pieceBytes * (Math.floor(index / fileCount) % (fileBytes / pieceBytes)),
    }),
  );
  const limit = pLimit(atOnce);
  return await limit.map(pieces, async ({ file, offsetBytes }) => {
    const startMs = performance.now();
    const bytes = await store.read(nameOf(file), offsetBytes, pieceBytes);
    const tookMs = performance.now() - startMs;
    if (!bytes.every((byte) => byte === file + 1)) {
      throw new Error(`file ${file} has other bytes than were written`);
    }
    return tookMs;
  });
}

function nameOf(file: number): string {
  return `file-${file}`;
}

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
