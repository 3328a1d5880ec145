// Whether a block that could not be read is lost, after all: HDFS learns of it by the attempt.

import { setTimeout as delay } from 'node:timers/promises';
import { blockState } from '../block-state.js';
import type { StoredBlock } from '../store.js';
import type { UnreachableCopies } from '../unreachable.js';
import { lostBlock } from './file-blocks.js';
import { throwIfCancelled } from './retry.js';

/** A DataNode's heartbeat comes every 3 s (dfs.heartbeat.interval). */
export const heartbeatPatienceMs = 5_000;
const heartbeatPollMs = 250;

export interface FailedRead {
  readonly path: string;
  readonly block: StoredBlock;
  readonly error: UnreachableCopies;
  /** Whether a DataNode took the request at least, and so may have noticed. */
  readonly wasReached: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Throws `data-lost` when `askBlocks`, the NameNode's word, says that the block is: a DataNode which misses a copy, or finds it
 * wrong, breaks off its answer and tells the NameNode with its next heartbeat.
 */
export async function expectNotLost(
  { path, block, error, wasReached, signal }: FailedRead,
  askBlocks: () => Promise<readonly StoredBlock[]>,
): Promise<void> {
  const deadlineMs = performance.now() + (wasReached ? heartbeatPatienceMs : 0);
  for (;;) {
    const now = await askBlocks();
    const found = now.find(({ offsetBytes }) => offsetBytes === block.offsetBytes);
    if (found !== undefined && blockState(found) === 'lost') {
      throw lostBlock(path, found, error);
    }
    if (performance.now() >= deadlineMs) {
      return;
    }
    await delay(heartbeatPollMs);
    throwIfCancelled(signal);
  }
}
