// Reading a range of a file, block by block.

import { ParsError } from '../../../introspect/pars-error.js';
import { expectNotLost } from '../hadoop/expect-not-lost.js';
import { checkRangeOfBlocks, isRangeHeld, readByBlock } from '../hadoop/file-blocks.js';
import type { ReadOptions } from '../read-options.js';
import type { StoredBlock } from '../store.js';
import { UnreachableCopies } from '../unreachable.js';
import type { BlockLocations } from './block-locations.js';
import type { DataNodes } from './data-nodes.js';
import type { HttpAnswer } from './http/http-client.js';
import { TransferError, wasReached } from './http/node-error.js';

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
  // Bad news must be fresh.
  if (!isRangeHeld(blocks, offsetBytes, sizeBytes)) {
    blocks = await locations.ask(path, options);
  }
  checkRangeOfBlocks(path, blocks, offsetBytes, sizeBytes);
  const readPiece = async (block: StoredBlock, from: number, target: Uint8Array): Promise<void> => {
    const operation = {
      method: 'GET',
      op: 'OPEN',
      path,
      query: { offset: String(from), length: String(target.length) },
      signal: options?.signal,
    } as const;
    const fill = (answer: HttpAnswer) => fillFrom(answer, target, path, from);
    try {
      await dataNodes.askHolder(operation, block.locations, fill);
    } catch (error) {
      locations.forget(path);
      if (error instanceof UnreachableCopies) {
        const failed = { path, block, error, wasReached: wasReached(error.cause) };
        await expectNotLost({ ...failed, signal: options?.signal }, () =>
          locations.ask(path, options),
        );
      }
      throw error;
    }
  };
  const into = options?.into;
  return await readByBlock(path, blocks, offsetBytes, sizeBytes, into, readPiece);
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
