// Reading a range of a file, block by block: never across a block boundary, because a lost block may be next.

import { setTimeout as delay } from 'node:timers/promises';

import { ParsError } from '../../../introspect/pars-error.js';
import { blockState, neededCount } from '../block-state.js';
import type { ReadOptions } from '../read-options.js';
import type { StoredBlock } from '../store.js';
import { UnreachableCopies } from '../unreachable.js';
import type { BlockLocations } from './block-locations.js';
import type { DataNodes } from './data-nodes.js';
import type { HttpAnswer } from './http/http-client.js';
import { TransferError, wasReached } from './http/node-error.js';
import { throwIfCancelled } from './http/retry.js';

/** A DataNode's heartbeat comes every 3 s (dfs.heartbeat.interval). */
export const heartbeatPatienceMs = 5_000;
const heartbeatPollMs = 250;

export interface FileReaderOptions {
  readonly locations: BlockLocations;
  readonly dataNodes: DataNodes;
}

/** The contract of Store.read, one attempt. `path` is absolute in HDFS. */
export async function readFile(
  { locations, dataNodes }: FileReaderOptions,
  path: string,
  offsetBytes: number,
  sizeBytes: number,
  options: ReadOptions | undefined,
): Promise<Uint8Array> {
  let blocks = await locations.recent(path, options);
  const isWhole = () => fileSizeBytes(blocks) >= offsetBytes + sizeBytes;
  const isHeld = () => overlapping(blocks, offsetBytes, sizeBytes).every(isReadable);
  // Bad news must be fresh.
  if (!isWhole() || !isHeld()) blocks = await locations.ask(path, options);
  if (!isWhole()) {
    throw new ParsError(
      'corrupt',
      `${path}: expected ${sizeBytes} bytes from offset ${offsetBytes}, but the file has only ${fileSizeBytes(blocks)}`,
    );
  }
  const wanted = overlapping(blocks, offsetBytes, sizeBytes);
  const lost = wanted.find((block) => !isReadable(block));
  if (lost) throw lostBlock(path, lost);

  // Its length has been checked against the file's, and every byte of it is filled below.
  const bytes: Uint8Array = Buffer.allocUnsafeSlow(sizeBytes);
  for (const block of wanted) {
    const from = Math.max(offsetBytes, block.offsetBytes);
    const to = Math.min(offsetBytes + sizeBytes, block.offsetBytes + block.sizeBytes);
    const target = bytes.subarray(from - offsetBytes, to - offsetBytes);
    const operation = {
      method: 'GET',
      op: 'OPEN',
      path,
      query: { offset: String(from), length: String(to - from) },
      signal: options?.signal,
    } as const;
    const fill = (answer: HttpAnswer) => fillFrom(answer, target, path, from);
    try {
      await dataNodes.askHolder(operation, block.locations, fill);
    } catch (error) {
      locations.forget(path);
      if (error instanceof UnreachableCopies) {
        await expectNotLost(locations, path, block, error, options);
      }
      throw error;
    }
  }
  return bytes;
}

/**
 * Throws `data-lost` when HDFS has learnt by the attempt that the block is lost: a DataNode which misses a copy, or finds it
 * wrong, breaks off the answer and tells the NameNode with its next heartbeat.
 */
async function expectNotLost(
  locations: BlockLocations,
  path: string,
  { offsetBytes }: StoredBlock,
  error: UnreachableCopies,
  options: ReadOptions | undefined,
): Promise<void> {
  const deadlineMs = performance.now() + (wasReached(error.cause) ? heartbeatPatienceMs : 0);
  for (;;) {
    const now = await locations.ask(path, options);
    const found = now.find((block) => block.offsetBytes === offsetBytes);
    if (found !== undefined && blockState(found) === 'lost') throw lostBlock(path, found, error);
    if (performance.now() >= deadlineMs) return;
    await delay(heartbeatPollMs);
    throwIfCancelled(options?.signal);
  }
}

function lostBlock(path: string, block: StoredBlock, cause?: unknown): ParsError {
  const found =
    block.locations.length === 0
      ? 'has no live copy in HDFS'
      : `has ${block.locations.length} live units in HDFS, and needs ${neededCount(block)}`;
  return new ParsError(
    'data-lost',
    `${path}: the block at offset ${block.offsetBytes} (${block.sizeBytes} bytes) ${found}; ` +
      `it comes back only with a DataNode that held one`,
    { cause },
  );
}

/** Reads the body into `target`, exactly. */
async function fillFrom(
  answer: HttpAnswer,
  target: Uint8Array,
  path: string,
  offsetBytes: number,
): Promise<void> {
  let filledBytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    if (filledBytes + chunk.length > target.length) {
      throw new ParsError(
        'corrupt',
        `${path}: asked for ${target.length} bytes from offset ${offsetBytes}, and the DataNode sends more`,
      );
    }
    target.set(chunk, filledBytes);
    filledBytes += chunk.length;
  }
  if (filledBytes < target.length) {
    throw new TransferError(
      'truncated',
      `asked for ${target.length} bytes from offset ${offsetBytes}, and it ended after ${filledBytes}`,
    );
  }
}

function overlapping(
  blocks: readonly StoredBlock[],
  offsetBytes: number,
  sizeBytes: number,
): readonly StoredBlock[] {
  return blocks.filter(
    (block) =>
      block.offsetBytes < offsetBytes + sizeBytes &&
      block.offsetBytes + block.sizeBytes > offsetBytes,
  );
}

function isReadable(block: StoredBlock): boolean {
  return blockState(block) === 'readable';
}

function fileSizeBytes(blocks: readonly StoredBlock[]): number {
  return blocks.reduce((sizeBytes, block) => sizeBytes + block.sizeBytes, 0);
}
