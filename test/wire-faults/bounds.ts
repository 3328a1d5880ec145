// How long the client of a case waits for each answer, and how long a case may take.

import pLimit from 'p-limit';
import { openHdfsStore } from '../../src/store/hdfs/hdfs-store.js';
import { copies } from '../../src/store/redundancy.js';
import type { HdfsCluster } from '../hdfs/cluster.js';

export const retry = { attemptCount: 8, firstDelayMs: 20, maxDelayMs: 200 };

const fileBytes = 4 * 2 ** 20;
const fileCount = 12;
/** The first rounds warm the daemons. */
const warmupRounds = 3;

export interface Bounds {
  readonly timeouts: {
    readonly connectTimeoutMs: number;
    readonly answerTimeoutMs: number;
    readonly idleTimeoutMs: number;
    readonly setupTimeoutMs: number;
    readonly ackTimeoutMs: number;
    readonly probeTimeoutMs: number;
  };
  /** For one attempt. */
  readonly attemptMs: number;
}

/**
 * Bounds for this machine at this time. Files are written and read with nothing broken, `atOnce` of them at a time as cases are: no
 * answer is waited for less than ten times as long as the slowest of those took.
 */
export async function boundsFor(cluster: HdfsCluster, atOnce: number): Promise<Bounds> {
  const store = await openHdfsStore(cluster.hdfsUrl('/bounds'));
  try {
    let slowestMs = 0;
    const limit = pLimit(atOnce);
    for (let round = 0; round <= warmupRounds; round++) {
      const tookMs = await limit.map(Array.from({ length: fileCount }), async (_, file) => {
        const name = `file-${round}-${file}`;
        const startMs = performance.now();
        const content = (): Uint8Array[] => [new Uint8Array(fileBytes)];
        await store.write(name, content, { redundancy: copies(3), blockSizeBytes: fileBytes });
        const writtenMs = performance.now();
        await store.read(name, 0, fileBytes);
        const readMs = performance.now();
        await store.remove(name);
        return Math.max(writtenMs - startMs, readMs - writtenMs);
      });
      slowestMs = Math.max(...tookMs);
    }
    return boundsOf(slowestMs);
  } finally {
    await store.close();
  }
}

function boundsOf(slowestMs: number): Bounds {
  // At least 3 s, so short that a thousand cases end.
  const answerMs = Math.max(3_000, 10 * slowestMs);
  const probeMs = answerMs / 3;
  return {
    timeouts: {
      connectTimeoutMs: answerMs,
      answerTimeoutMs: answerMs,
      idleTimeoutMs: answerMs,
      setupTimeoutMs: answerMs,
      ackTimeoutMs: answerMs,
      probeTimeoutMs: probeMs,
    },
    // Each of the bounds in its turn, two signs of life, and what the work itself takes.
    attemptMs: 4 * answerMs + 2 * probeMs + Math.max(5_000, 2 * answerMs),
  };
}
