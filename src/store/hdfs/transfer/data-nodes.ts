// The DataNodes that this client talks to: by which address, which are left out for a while, and who of several hangs.

import { AvoidedNodes } from '../../hadoop/avoided-nodes.js';
import { hostPortOf } from '../net/host-port.js';
import type { PeerStream, PeerStreamOptions } from '../net/peer-stream.js';
import {
  blockOpResponse,
  operations,
  opReadBlock,
  transferVersion,
} from '../proto/datatransfer.js';
import type { DatanodeInfo, LocatedBlock } from '../proto/hdfs.js';
import type { Token } from '../proto/security.js';
import type { Message } from '../wire/message.js';

/** The longest answer to an operation: a status, and a text with a Java exception. */
export const maxAnswerBytes = 1024 * 1024;
const probeBufferBytes = 4096;

/** `address:port` of block transfer, which names it in the store's locations as well. */
export function nameOf({ id }: DatanodeInfo): string {
  return hostPortOf(id.ipAddr, id.xferPort);
}

export type ConnectOptions = Pick<PeerStreamOptions, 'doing' | 'bufferSizeBytes' | 'signal'> & {
  /** For a connection, and for each answer of a handshake. The connector's unless given. */
  readonly connectTimeoutMs?: number;
};

export interface Connector {
  /** For operations on the block that `token` is for, and on others afterwards. */
  connect(node: DatanodeInfo, token: Token, options: ConnectOptions): Promise<PeerStream>;
}

/** The bytes that begin an operation. */
export function operation<Values>(code: number, type: Message<Values>, values: Values): Buffer {
  const version = Buffer.alloc(3);
  version.writeUInt16BE(transferVersion, 0);
  version[2] = code;
  return Buffer.concat([version, type.encodeDelimited(values)]);
}

/** One that is slow may just have collected its garbage. */
const firstSlowMs = 5_000;

export class DataNodes {
  readonly #avoided = new AvoidedNodes();
  /** Others were asked in their place. It is no reason to write nothing to them. */
  readonly #slow = new AvoidedNodes(firstSlowMs);
  readonly #failed = new Map<string, DatanodeInfo>();

  avoid(node: DatanodeInfo): void {
    this.#failed.set(nameOf(node), node);
    this.#avoided.avoid(nameOf(node));
  }

  passOver(node: DatanodeInfo): void {
    this.#slow.avoid(nameOf(node));
  }

  welcome(node: DatanodeInfo): void {
    this.#failed.delete(nameOf(node));
    this.#avoided.welcome(nameOf(node));
    this.#slow.welcome(nameOf(node));
  }

  /** In the order given, but those that were slow a moment ago behind the others, and those that failed last. */
  byHealth(nodes: readonly DatanodeInfo[]): readonly DatanodeInfo[] {
    const illness = (node: DatanodeInfo): number =>
      this.#avoided.has(nameOf(node)) ? 2 : this.#slow.has(nameOf(node)) ? 1 : 0;
    return [...nodes].sort((a, b) => illness(a) - illness(b));
  }

  /** For the NameNode, which is not to choose them. */
  avoided(): readonly DatanodeInfo[] {
    return this.#avoided.all().flatMap((name) => this.#failed.get(name) ?? []);
  }
}

export interface ProbeOptions {
  readonly clientName: string;
  readonly connector: Connector;
  /** For a connection, and once more for an answer. */
  readonly probeTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The nodes of a block that do not answer a question of their own. When a pipeline falls silent, only its first node is
 * heard, and any may be the one that hangs.
 */
export async function findSilent(
  block: LocatedBlock,
  options: ProbeOptions,
): Promise<readonly DatanodeInfo[]> {
  const answers = await Promise.all(block.locs.map((node) => isAnswering(node, block, options)));
  return block.locs.filter((_, index) => !answers[index]);
}

/** By a read of none of the block's bytes: a node that has it says so, another says that it has not. */
async function isAnswering(
  node: DatanodeInfo,
  { b, blockToken }: LocatedBlock,
  { clientName, connector, probeTimeoutMs, signal }: ProbeOptions,
): Promise<boolean> {
  let stream: PeerStream | undefined;
  try {
    stream = await connector.connect(node, blockToken, {
      doing: 'a sign of life',
      connectTimeoutMs: probeTimeoutMs,
      bufferSizeBytes: probeBufferBytes,
      signal,
    });
    const header = { baseHeader: { block: b, token: blockToken }, clientName };
    const request = { header, offset: 0, len: 0 };
    await stream.write(operation(operations.readBlock, opReadBlock, request));
    await stream.message(blockOpResponse, maxAnswerBytes, probeTimeoutMs);
    return true;
  } catch {
    return false;
  } finally {
    stream?.destroy();
  }
}
