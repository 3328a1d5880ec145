// Reading a range of a file, block by block, from whichever copy of each can be had.

import { ParsError } from '../../../introspect/pars-error.js';
import { expectNotLost } from '../hadoop/expect-not-lost.js';
import {
  checkRangeOfBlocks,
  isRangeHeld,
  isReadable,
  lostBlock,
  readByBlock,
} from '../hadoop/file-blocks.js';
import { throwIfCancelled } from '../hadoop/retry.js';
import type { ReadOptions } from '../read-options.js';
import { UnreachableCopies } from '../unreachable.js';
import { type HedgeBudget, hedged } from './hedged.js';
import type { BlockOfFile, LocatedFile, LocatedFiles } from './located-files.js';
import { peerFailure } from './net/peer-error.js';
import { reportBadBlocks } from './proto/client-namenode-protocol.js';
import type { DatanodeInfo } from './proto/hdfs.js';
import type { ReadTimes } from './read-times.js';
import type { NameNodeClient } from './rpc/name-node-client.js';
import type { DataNodes } from './transfer/data-nodes.js';
import { readBlock, WrongChunk } from './transfer/read-block.js';
import type { StreamPool } from './transfer/stream-pool.js';

export interface FileReaderOptions {
  readonly client: NameNodeClient;
  readonly files: LocatedFiles;
  readonly dataNodes: DataNodes;
  readonly streams: StreamPool;
  readonly hedges: { readonly times: ReadTimes; readonly budget: HedgeBudget };
  readonly clientName: string;
  readonly idleTimeoutMs: number;
}

/** The contract of Store.read. `path` is absolute in HDFS. */
export async function readFile(
  options: FileReaderOptions,
  path: string,
  offsetBytes: number,
  sizeBytes: number,
  readOptions: ReadOptions,
): Promise<Uint8Array> {
  const { signal, into } = readOptions;
  throwIfCancelled(signal);
  const { files } = options;
  let file = await files.recent(path, signal);
  // Bad news must be fresh.
  if (!isRangeHeld(file.blocks, offsetBytes, sizeBytes)) {
    file = await files.ask(path, signal);
  }
  checkRangeOfBlocks(path, file.blocks, offsetBytes, sizeBytes);
  checkForm(path, file);
  return await readByBlock(path, file.blocks, offsetBytes, sizeBytes, into, (block, from, target) =>
    readCopies(options, path, block, from - block.offsetBytes, target, readOptions),
  );
}

function checkForm(path: string, { blocks, isEncrypted }: LocatedFile): void {
  const found = isEncrypted
    ? 'it is in an encryption zone'
    : blocks.some(({ coding }) => coding !== undefined)
      ? 'HDFS keeps it by an erasure code'
      : undefined;
  if (found === undefined) {
    return;
  }
  throw new ParsError(
    'unsupported',
    `read ${path}: ${found}, and hdfs:// reads whole copies only; read it by webhdfs://`,
  );
}

/** Tries each copy, and those that HDFS names after that once more, unless nobody is there. */
async function readCopies(
  options: FileReaderOptions,
  path: string,
  block: BlockOfFile,
  offsetBytes: number,
  target: Uint8Array,
  readOptions: ReadOptions,
): Promise<void> {
  const { files } = options;
  const { signal } = readOptions;
  let failures = await tryCopies(options, path, block, offsetBytes, target, readOptions);
  if (failures === undefined) {
    return;
  }
  files.forget(path);
  const isOfBlock = ({ offsetBytes: at }: BlockOfFile) => at === block.offsetBytes;
  if (failures.some((error) => peerFailure(error) !== 'gone')) {
    const again = (await files.ask(path, signal)).blocks.find(isOfBlock);
    if (again !== undefined && !isReadable(again)) {
      throw lostBlock(path, again, failures[0]);
    }
    if (again !== undefined) {
      failures = await tryCopies(options, path, again, offsetBytes, target, readOptions);
      if (failures === undefined) {
        return;
      }
    }
  }
  const found = failures.map((error) => error.message).join('; ');
  const error = new UnreachableCopies(
    `read ${path}: HDFS lists copies on ${block.locations.join(', ')}, and this machine can read none of them: ${found}. ` +
      'The bytes may be whole: see whether these nodes run and whether a firewall is between',
    { cause: failures[0] },
  );
  const wasReached = failures.some((failure) => peerFailure(failure) !== 'gone');
  await expectNotLost({ path, block, error, wasReached, signal }, async () => {
    return (await files.ask(path, signal)).blocks;
  });
  throw error;
}

/**
 * Undefined once `target` is filled, else why each copy could not be read. A copy that takes longer than nearly all others of late
 * is not waited for alone: the next one is asked beside it.
 */
async function tryCopies(
  options: FileReaderOptions,
  path: string,
  block: BlockOfFile,
  offsetBytes: number,
  target: Uint8Array,
  readOptions: ReadOptions,
): Promise<readonly ParsError[] | undefined> {
  const { dataNodes, hedges } = options;
  const { times, budget } = hedges;
  const nodes = dataNodes.byHealth(block.located.locs);
  const ways = nodes.map((node, index) => async (end: AbortSignal): Promise<Uint8Array> => {
    // The first may still be filling the target.
    const memory = index === 0 ? target : Buffer.allocUnsafeSlow(target.length);
    const startMs = performance.now();
    try {
      await readCopy(options, path, node, block, offsetBytes, memory, {
        ...readOptions,
        signal: end,
      });
    } catch (error) {
      if (peerFailure(error) !== undefined) {
        dataNodes.avoid(node);
      }
      if (error instanceof WrongChunk) {
        await reportWrongCopy(options, path, node, block, end);
      }
      throw error;
    }
    times.note(target.length, performance.now() - startMs);
    dataNodes.welcome(node);
    return memory;
  });
  const onSlow = (index: number): void => {
    dataNodes.passOver(nodes[index]);
  };
  const slowMs = times.slowMs(target.length);
  const read = await hedged(ways, { budget, slowMs, onSlow, signal: readOptions.signal });
  if ('failures' in read) {
    return read.failures;
  }
  if (read.value !== target) {
    target.set(read.value);
  }
  return undefined;
}

async function readCopy(
  { streams, clientName, idleTimeoutMs }: FileReaderOptions,
  path: string,
  node: DatanodeInfo,
  { located }: BlockOfFile,
  offsetBytes: number,
  target: Uint8Array,
  { signal, isCheckedByReader = false }: ReadOptions,
): Promise<void> {
  const doing = `read ${path}`;
  const reader = { clientName, doing, idleTimeoutMs, isCheckedByReader };
  await streams.use(node, located.blockToken, doing, signal, (stream) =>
    readBlock(stream, located, offsetBytes, target, reader),
  );
}

/** The NameNode then has a new copy made of another one, and names this one no more. */
async function reportWrongCopy(
  { client }: FileReaderOptions,
  path: string,
  node: DatanodeInfo,
  { located }: BlockOfFile,
  signal: AbortSignal,
): Promise<void> {
  const index = located.locs.indexOf(node);
  const blocks = [
    {
      ...located,
      locs: [node],
      storageTypes: located.storageTypes.slice(index, index + 1),
      storageIDs: located.storageIDs.slice(index, index + 1),
    },
  ];
  const options = { path, signal };
  // The read goes on with other copies in any case.
  await client.call(reportBadBlocks, { blocks }, options).catch(() => undefined);
}
