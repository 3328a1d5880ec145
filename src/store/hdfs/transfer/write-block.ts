// Writing one block through a pipeline of DataNodes: the first one takes packets and passes them on, and each packet comes back
// acknowledged by all.
//
//   we ──► node 0 ──► node 1 ──► node 2     OP_WRITE_BLOCK, then packets; the last one is empty
//      ◄──        ◄──        ◄──            one answer to the operation, then an ack of each packet
//
// The last node holds each packet's checksums against its bytes before it acknowledges, so acks of all packets say that the
// pipeline has what was sent. Nothing is mended here: a block is abandoned at the first failure, and written anew without the node
// that failed (../write-file.ts).

import { ParsError } from '../../../../introspect/pars-error.js';
import { startDeadline } from '../net/deadline.js';
import { isSilent, silence } from '../net/peer-error.js';
import { PeerStream } from '../net/peer-stream.js';
import {
  blockOpResponse,
  operations,
  opWriteBlock,
  pipelineAck,
  stages,
  statuses,
  statusInWords,
} from '../proto/datatransfer.js';
import type { DatanodeInfo, LocatedBlock } from '../proto/hdfs.js';
import { writtenChecksum } from './chunk-checksums.js';
import { findSilent, maxAnswerBytes, nameOf, operation } from './data-nodes.js';
import { emptyPacket, heartbeatSequence, PacketBuffer } from './packet.js';

export interface BlockWriterOptions {
  readonly clientName: string;
  /** Opens the message of each error: the operation and the path. */
  readonly doing: string;
  readonly connectTimeoutMs: number;
  /** For the word of all nodes that they take the block. */
  readonly setupTimeoutMs: number;
  /** For the next ack, while there are packets without one. */
  readonly ackTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The block was not written, and these of its nodes are to be left out of the next attempt. */
export class PipelineFailure extends ParsError {
  constructor(
    message: string,
    readonly nodes: readonly DatanodeInfo[],
    cause: unknown,
  ) {
    super('unavailable', message, { cause });
  }
}

/** Four of them are filled, sent and acknowledged at once: enough to keep a pipeline busy. */
const bufferCount = 4;
/** Sent, and not acknowledged. */
const maxPendingPackets = 16;
/** An ack has a few bytes for each node. */
const maxAckBytes = 64 * 1024;
const ackBufferBytes = 4096;
/** Where content comes slowly: DataNodes take a silence of 60 s for a dead client (dfs.client.socket-timeout). */
const heartbeatMs = 15_000;

/**
 * Writes `content` as the whole of `block` and returns its size. Throws PipelineFailure when a DataNode fails, `cancelled` when the
 * signal is aborted, and what `content` throws as it is.
 */
export async function writeBlock(
  block: LocatedBlock,
  content: AsyncIterable<Uint8Array>,
  options: BlockWriterOptions,
): Promise<number> {
  const pipeline = await Pipeline.open(block, options);
  try {
    let buffer = await pipeline.buffer();
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length;) {
        at += buffer.append(chunk.subarray(at));
        if (!buffer.isFull) {
          continue;
        }
        await pipeline.send(buffer);
        buffer = await pipeline.buffer();
      }
    }
    if (buffer.dataBytes > 0) {
      await pipeline.send(buffer);
    }
    return await pipeline.finish();
  } finally {
    pipeline.close();
  }
}

class Pipeline {
  readonly #block: LocatedBlock;
  readonly #options: BlockWriterOptions;
  readonly #stream: PeerStream;
  readonly #free = Array.from({ length: bufferCount }, () => new PacketBuffer());
  /** Sequence numbers of packets without an ack, in the order in which they were sent. */
  readonly #pending: number[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  #stopWaiting: () => void = () => undefined;
  #sequence = 0;
  #sizeBytes = 0;
  #lastSentMs = performance.now();
  #failure: unknown;
  #wake: () => void = () => undefined;

  private constructor(block: LocatedBlock, stream: PeerStream, options: BlockWriterOptions) {
    this.#block = block;
    this.#stream = stream;
    this.#options = options;
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#lastSentMs >= heartbeatMs) {
        this.#post(emptyPacket(0, heartbeatSequence, false));
      }
    }, heartbeatMs);
    void this.#readAcks();
  }

  static async open(block: LocatedBlock, options: BlockWriterOptions): Promise<Pipeline> {
    const { doing, connectTimeoutMs, setupTimeoutMs, signal } = options;
    const [first] = block.locs as readonly (DatanodeInfo | undefined)[];
    if (first === undefined) {
      throw new ParsError('unavailable', `${doing}: the NameNode names no DataNode for the block`);
    }
    let stream: PeerStream | undefined;
    try {
      stream = await PeerStream.connect({
        hostPort: nameOf(first),
        doing,
        connectTimeoutMs,
        bufferSizeBytes: ackBufferBytes,
        signal,
      });
      await stream.write(operation(operations.writeBlock, opWriteBlock, request(block, options)));
      const answer = await stream.message(blockOpResponse, maxAnswerBytes, setupTimeoutMs);
      if (answer.status !== statuses.success) {
        const bad = block.locs.find((node) => nameOf(node) === answer.firstBadLink) ?? first;
        throw new PipelineFailure(
          `${doing}: the DataNode ${nameOf(bad)} does not take the block: ${statusInWords(answer.status)}` +
            (answer.message === undefined ? '' : `: ${answer.message.split('\n', 1)[0]}`),
          [bad],
          undefined,
        );
      }
      return new Pipeline(block, stream, options);
    } catch (error) {
      stream?.destroy();
      throw await pipelineFailure(block, error, options);
    }
  }

  /** Memory for the next packet, once there is some. */
  async buffer(): Promise<PacketBuffer> {
    await this.#until(() => this.#free.length > 0);
    const [buffer] = this.#free.splice(0, 1);
    buffer.clear();
    return buffer;
  }

  /** Takes `buffer` until its bytes are gone. */
  async send(buffer: PacketBuffer): Promise<void> {
    await this.#until(() => this.#pending.length < maxPendingPackets);
    const bytes = buffer.seal(this.#sizeBytes, this.#expectAck());
    this.#sizeBytes += buffer.dataBytes;
    this.#post(bytes, () => this.#free.push(buffer));
  }

  /** Sends the end of the block, and returns its size once each packet is acknowledged. */
  async finish(): Promise<number> {
    this.#post(emptyPacket(this.#sizeBytes, this.#expectAck(), true));
    await this.#until(() => this.#pending.length === 0);
    return this.#sizeBytes;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#stopWaiting();
    this.#stream.destroy();
  }

  #expectAck(): number {
    const sequence = this.#sequence++;
    this.#pending.push(sequence);
    if (this.#pending.length === 1) {
      this.#awaitAck();
    }
    return sequence;
  }

  #awaitAck(): void {
    this.#stopWaiting();
    if (this.#pending.length === 0) {
      return;
    }
    const { ackTimeoutMs } = this.#options;
    this.#stopWaiting = startDeadline(ackTimeoutMs, () => {
      this.#stream.destroy(silence('the ack of a packet', ackTimeoutMs));
    });
  }

  #post(bytes: Buffer, taken: () => void = () => undefined): void {
    this.#lastSentMs = performance.now();
    this.#stream.write(bytes).then(
      () => {
        taken();
        this.#wake();
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  async #readAcks(): Promise<void> {
    try {
      for (;;) {
        // How long it may take is held by #awaitAck: while no packet is under way, no ack is to come.
        const ack = await this.#stream.message(pipelineAck, maxAckBytes, undefined);
        const badIndex = ack.reply.findIndex((status) => status !== statuses.success);
        if (badIndex !== -1) {
          throw this.#refused(ack.reply[badIndex], badIndex);
        }
        if (ack.seqno === heartbeatSequence) {
          continue;
        }
        const expected = this.#pending.shift();
        if (ack.seqno !== expected) {
          throw new ParsError(
            'unavailable',
            `${this.#options.doing} at ${this.#stream.hostPort}: expected the ack of packet ${expected ?? 'none'}, ` +
              `found that of ${ack.seqno}`,
          );
        }
        this.#awaitAck();
        this.#wake();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #refused(status: number, index: number): ParsError {
    const node = this.#block.locs.at(index) ?? this.#block.locs[0];
    return new PipelineFailure(
      `${this.#options.doing}: the DataNode ${nameOf(node)} did not take a packet: ${statusInWords(status)}`,
      [node],
      undefined,
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  async #until(isReached: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) {
        throw await pipelineFailure(this.#block, this.#failure, this.#options);
      }
      if (isReached()) {
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function request(
  { b, blockToken, locs, storageTypes, storageIDs }: LocatedBlock,
  { clientName }: BlockWriterOptions,
): Parameters<typeof opWriteBlock.encode>[0] {
  const block = { ...b, numBytes: 0 };
  return {
    header: { baseHeader: { block, token: blockToken }, clientName },
    targets: locs.slice(1),
    stage: stages.pipelineSetupCreate,
    pipelineSize: locs.length,
    minBytesRcvd: 0,
    maxBytesRcvd: 0,
    latestGenerationStamp: b.generationStamp,
    requestedChecksum: {
      type: writtenChecksum.type,
      bytesPerChecksum: writtenChecksum.bytesPerChunk,
    },
    storageType: storageTypes.at(0),
    targetStorageTypes: storageTypes.slice(1),
    storageId: storageIDs.at(0),
    targetStorageIds: storageIDs.slice(1),
  };
}

/** Who is to blame: the first node for its connection, unless others are found not to answer. */
async function pipelineFailure(
  block: LocatedBlock,
  error: unknown,
  { clientName, signal }: BlockWriterOptions,
): Promise<unknown> {
  if (!(error instanceof ParsError) || error instanceof PipelineFailure) {
    return error;
  }
  if (error.code === 'cancelled') {
    return error;
  }
  const silent = isSilent(error) ? await findSilent(block, clientName, signal) : [];
  const names = silent.map(nameOf).join(', ');
  const found = silent.length === 0 ? '' : `; of the block's nodes these do not answer: ${names}`;
  const nodes = silent.length === 0 ? block.locs.slice(0, 1) : silent;
  return new PipelineFailure(`${error.message}${found}`, nodes, error);
}
