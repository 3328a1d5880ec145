// Writing a file, so that what is under its name is whole where a reader goes by that.
//
// Then the content goes to a name of its own first, and is renamed without overwriting: a file that is being written is listed,
// and when its writer dies HDFS closes it some time later, shorter, as if that were all of it. Where the name tells nobody
// anything, as a pack's, it is written under that name, and removed again when it fails. At any failure of a DataNode the file is
// given up and written anew, without the nodes that failed.
//
// Acks of all packets by all nodes prove that they have what was sent: the last node holds each checksum that was made here
// against the bytes, and every node keeps these checksums beside them, for each later reader. So no other question is asked.

import { setTimeout as delay } from 'node:timers/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import type { CopiesToWrite } from '../check-write.js';
import { folderOf, isNotFound } from '../hadoop/namespace.js';
import { isNotPlaced, isRefusedByNodes } from '../hadoop/remote-exception.js';
import { isUnavailable, retried, type Retry, throwIfCancelled } from '../hadoop/retry.js';
import { refusalByPolicy } from '../hadoop/storage-policy.js';
import { isWorthAnotherUpload, uploadPathOf, watched, writeRetryMaxMs } from '../hadoop/upload.js';
import type { Content } from '../threads/content.js';
import type { Lease } from './lease.js';
import { Leftovers } from './leftovers.js';
import type { Namespace } from './namespace.js';
import { fromThread, type OutgoingContent, streamed } from './outgoing-content.js';
import {
  addBlock,
  complete,
  create,
  createFlags,
  getStoragePolicy,
} from './proto/client-namenode-protocol.js';
import { type LocatedBlock, storageTypes } from './proto/hdfs.js';
import type { NameNodeClient } from './rpc/name-node-client.js';
import type { DataNodeConnector } from './transfer/data-node-connector.js';
import type { DataNodes } from './transfer/data-nodes.js';
import type { PacketMemory } from './transfer/packet.js';
import { type BlockWriterOptions, PipelineFailure } from './transfer/pipeline.js';

export interface FileWriterOptions {
  readonly client: NameNodeClient;
  readonly namespace: Namespace;
  readonly dataNodes: DataNodes;
  readonly lease: Lease;
  readonly packetMemory: PacketMemory;
  readonly retry: Retry;
  readonly timeouts: Pick<
    BlockWriterOptions,
    'setupTimeoutMs' | 'ackTimeoutMs' | 'probeTimeoutMs'
  > & { readonly connector: DataNodeConnector };
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
  const { namespace, lease, retry, packetMemory } = options;
  const { signal, nameTells } = wanted;
  // Found out early: the rename would find it out when all is sent.
  if (nameTells === 'whole' && (await namespace.status(path, signal))) {
    throw new ParsError(
      'already-exists',
      `create ${path}: there is one already, and nothing was overwritten`,
    );
  }
  const source = watched(content);
  const left = new Leftovers(options);
  const attempt = async (): Promise<number> => {
    const writtenPath = nameTells === 'whole' ? uploadPathOf(path) : path;
    try {
      await left.remove(writtenPath, signal);
      const outgoing =
        content.inThread === undefined
          ? streamed(source.open, packetMemory, wanted, `write ${writtenPath}`)
          : fromThread(content.inThread);
      const sizeBytes = await upload(options, writtenPath, outgoing, wanted, left);
      if (writtenPath !== path) {
        await namespace.rename(writtenPath, path, signal);
      }
      return sizeBytes;
    } catch (error) {
      await left.tryToRemove(writtenPath);
      throw error;
    }
  };
  const policy = { ...retry.policy, maxTotalMs: writeRetryMaxMs };
  return await lease.during(async () => {
    try {
      return await retried({ ...retry, policy }, signal, attempt, (error) => {
        return !source.hasFailed() && isWorthAnotherUpload(error);
      });
    } catch (error) {
      await left.tryToRemoveAll();
      throw error;
    }
  });
}

async function upload(
  options: FileWriterOptions,
  path: string,
  outgoing: OutgoingContent,
  wanted: CopiesToWrite,
  left: Leftovers,
): Promise<number> {
  const { dataNodes, lease, timeouts } = options;
  const { blockSizeBytes, signal } = wanted;
  try {
    const file = await createFile(options, path, wanted, left);
    // A file without bytes has no block.
    if (!(await outgoing.hasBytes())) {
      await completeFile(options, file, undefined, signal);
      return 0;
    }
    const block = await newBlock(options, file, signal);
    const doing = `write ${path}`;
    const sizeBytes = await outgoing.writeTo(block, {
      clientName: lease.holder,
      doing,
      signal,
      blockSizeBytes,
      ...timeouts,
    });
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
    await outgoing.close();
  }
}

/** Makes its folder where that is not there. */
async function createFile(
  { client, namespace, lease }: FileWriterOptions,
  path: string,
  { copyCount, blockSizeBytes, nameTells, signal }: CopiesToWrite,
  left: Leftovers,
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
  try {
    const { fs } = await attempt().catch(async (error: unknown) => {
      if (!isNotFound(error)) {
        throw error;
      }
      // Not left to the NameNode: it would give them the permissions of the folder above.
      await namespace.makeFolder(folderOf(path), signal);
      return await attempt();
    });
    left.add(path, 'ours');
    return { path, fileId: fs?.fileId };
  } catch (error) {
    if (isWithoutAnswer(error)) {
      left.add(path, nameTells === 'whole' ? 'ours' : 'perhaps ours');
    }
    throw error;
  }
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

/** Whether the NameNode may have done it: nobody heard whether it has. */
function isWithoutAnswer(error: unknown): boolean {
  return isUnavailable(error) || (error instanceof ParsError && error.code === 'cancelled');
}
