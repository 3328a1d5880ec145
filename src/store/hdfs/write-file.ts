// Writing a file that appears under its name only when HDFS is known to have the right bytes.
//
// The content goes to a name of its own first, and is then renamed without overwriting: a file that is being written is listed,
// and when its writer dies HDFS closes it some time later, shorter, as if that were all of it. At any failure of a DataNode the
// file is given up and written anew under another name, without the nodes that failed.

import { setTimeout as delay } from 'node:timers/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { chunksUntilAborted } from '../abort.js';
import type { CopiesToWrite } from '../check-write.js';
import { folderOf, isNotFound } from '../hadoop/namespace.js';
import { isNotPlaced, isRefusedByNodes } from '../hadoop/remote-exception.js';
import { isUnavailable, retried, type Retry, throwIfCancelled } from '../hadoop/retry.js';
import { refusalByPolicy } from '../hadoop/storage-policy.js';
import {
  type Content,
  isWorthAnotherUpload,
  uploadPathOf,
  watched,
  withinBlock,
  writeRetryMaxMs,
} from '../hadoop/upload.js';
import type { Lease } from './lease.js';
import type { Namespace } from './namespace.js';
import {
  addBlock,
  complete,
  create,
  createFlags,
  getStoragePolicy,
} from './proto/client-namenode-protocol.js';
import { type LocatedBlock, storageTypes } from './proto/hdfs.js';
import type { NameNodeClient } from './rpc/name-node-client.js';
import type { DataNodes } from './transfer/data-nodes.js';
import { type BlockWriterOptions, PipelineFailure, writeBlock } from './transfer/write-block.js';

export interface FileWriterOptions {
  readonly client: NameNodeClient;
  readonly namespace: Namespace;
  readonly dataNodes: DataNodes;
  readonly lease: Lease;
  readonly retry: Retry;
  readonly timeouts: Pick<
    BlockWriterOptions,
    'connectTimeoutMs' | 'setupTimeoutMs' | 'ackTimeoutMs'
  >;
}

/** For the owner's eyes only. */
const filePermission = { perm: 0o600 };

/** Until DataNodes have told the NameNode what they acknowledged to us, which takes milliseconds. */
export const completeTimeoutMs = 30_000;
const firstCompleteDelayMs = 1;
const maxCompleteDelayMs = 100;

/** A file that is being written. */
interface OpenFile {
  readonly path: string;
  readonly fileId: number | undefined;
}

/** The contract of Store.write. `path` is absolute in HDFS. */
export async function writeFile(
  options: FileWriterOptions,
  path: string,
  content: Content,
  wanted: CopiesToWrite,
): Promise<number> {
  const { namespace, lease, retry } = options;
  const { signal } = wanted;
  if (await namespace.status(path, signal)) {
    throw new ParsError(
      'already-exists',
      `create ${path}: there is one already, and nothing was overwritten`,
    );
  }
  const source = watched(content);
  return await lease.during(() =>
    retried(
      { ...retry, policy: { ...retry.policy, maxTotalMs: writeRetryMaxMs } },
      signal,
      async () => {
        const uploadPath = uploadPathOf(path);
        try {
          const sizeBytes = await upload(options, uploadPath, source.open, wanted);
          await namespace.rename(uploadPath, path, signal);
          return sizeBytes;
        } catch (error) {
          await removeLeftover(options, uploadPath);
          throw error;
        }
      },
      (error) => !source.hasFailed() && isWorthAnotherUpload(error),
    ),
  );
}

async function upload(
  options: FileWriterOptions,
  path: string,
  open: () => AsyncGenerator<Uint8Array>,
  wanted: CopiesToWrite,
): Promise<number> {
  const { dataNodes, lease, timeouts } = options;
  const { blockSizeBytes, signal } = wanted;
  const doing = `write ${path}`;
  const file = await createFile(options, path, wanted);
  const chunks = chunksUntilAborted(withinBlock(open(), blockSizeBytes, doing), signal, doing);
  const content = await beyondNothing(chunks);
  // A file without bytes has no block.
  if (content === undefined) {
    await completeFile(options, file, undefined, signal);
    return 0;
  }
  let block: LocatedBlock | undefined;
  try {
    block = await newBlock(options, file, signal);
    const { holder } = lease;
    const writerOptions = { clientName: holder, doing, signal, ...timeouts };
    const sizeBytes = await writeBlock(block, content, writerOptions);
    await completeFile(options, file, { ...block.b, numBytes: sizeBytes }, signal);
    for (const node of block.locs) {
      dataNodes.welcome(node);
    }
    return sizeBytes;
  } catch (error) {
    if (error instanceof PipelineFailure) {
      for (const node of error.nodes) {
        dataNodes.avoid(node);
      }
    }
    throw error;
  } finally {
    await chunks.return(undefined);
  }
}

/** `chunks` from the first that has bytes, or undefined where none has. */
async function beyondNothing(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<AsyncGenerator<Uint8Array> | undefined> {
  for (;;) {
    const first = await chunks.next();
    if (first.done === true) {
      return undefined;
    }
    if (first.value.length > 0) {
      return joined(first.value, chunks);
    }
  }
}

async function* joined(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

/** Makes its folder where that is not there. */
async function createFile(
  { client, namespace, lease }: FileWriterOptions,
  path: string,
  { copyCount, blockSizeBytes, signal }: CopiesToWrite,
): Promise<OpenFile> {
  const request = {
    src: path,
    masked: filePermission,
    clientName: lease.holder,
    createFlag: createFlags.create | createFlags.shouldReplicate,
    createParent: false,
    replication: copyCount,
    blockSize: blockSizeBytes,
  };
  const attempt = () => client.call(create, request, { path, signal });
  const { fs } = await attempt().catch(async (error: unknown) => {
    if (!isNotFound(error)) {
      throw error;
    }
    await namespace.makeFolder(folderOf(path), signal);
    return await attempt();
  });
  return { path, fileId: fs?.fileId };
}

async function newBlock(
  options: FileWriterOptions,
  { path, fileId }: OpenFile,
  signal: AbortSignal | undefined,
): Promise<LocatedBlock> {
  const { client, lease, dataNodes } = options;
  const request = { src: path, clientName: lease.holder, fileId };
  // Where no node takes it, asking again at once is of no use.
  const isWorthAnother = (error: unknown) => isUnavailable(error) && !isNotPlaced(error);
  const ask = (excludeNodes: ReturnType<DataNodes['avoided']>) =>
    client.call(addBlock, { ...request, excludeNodes }, { path, signal, isWorthAnother });
  const avoided = dataNodes.avoided();
  const answer = await ask(avoided)
    .catch((error: unknown) => {
      // Those that failed may be all there are.
      if (avoided.length === 0 || !isNotPlaced(error)) {
        throw error;
      }
      return ask([]);
    })
    .catch(async (error: unknown) => {
      throw (await refusedByPolicy(options, path, error, signal).catch(() => undefined)) ?? error;
    });
  return answer.block;
}

/** The error to report for a new file that no DataNode took when its folder's policy keeps it from usual disks. */
async function refusedByPolicy(
  { client }: FileWriterOptions,
  path: string,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<ParsError | undefined> {
  if (!isRefusedByNodes(error)) {
    return undefined;
  }
  const folder = folderOf(path);
  const request = { path: folder === '' ? '/' : folder };
  const answer = await client.call(getStoragePolicy, request, { path: folder, signal });
  const { name, creationPolicy, creationFallbackPolicy } = answer.storagePolicy;
  const inWords = (types: readonly number[] = []) =>
    types.map((type) => storageTypes[type] ?? `type ${type}`);
  const policy = {
    name,
    storageTypes: inWords(creationPolicy.storageTypes),
    creationFallbacks: inWords(creationFallbackPolicy?.storageTypes),
  };
  return refusalByPolicy(policy, `addBlock ${path}`, error);
}

/** Asks until the NameNode has heard of one copy of the block; then the file is closed. */
async function completeFile(
  { client, lease }: FileWriterOptions,
  { path, fileId }: OpenFile,
  last: LocatedBlock['b'] | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const request = { src: path, clientName: lease.holder, last, fileId };
  const deadlineMs = performance.now() + completeTimeoutMs;
  for (let delayMs = firstCompleteDelayMs; ; delayMs = Math.min(maxCompleteDelayMs, 2 * delayMs)) {
    const { result } = await client.call(complete, request, { path, signal });
    if (result) {
      return;
    }
    if (performance.now() >= deadlineMs) {
      throw new ParsError(
        'unavailable',
        `complete ${path}: DataNodes have the block, and the NameNode did not hear of it in ${completeTimeoutMs} ms`,
      );
    }
    await delay(delayMs);
    throwIfCancelled(signal);
  }
}

/** Not bound to the caller's signal: cleaning up is for after it was aborted. */
async function removeLeftover(
  { namespace, retry }: FileWriterOptions,
  uploadPath: string,
): Promise<void> {
  const once = { ...retry, policy: { ...retry.policy, attemptCount: 1 } };
  // The failure that led here is the one to report.
  await namespace.remove(uploadPath, false, undefined, once).catch(() => undefined);
}
