// A pipeline of DataNodes that one block is written through: the first one takes packets and passes them on, and each packet comes back
// acknowledged by all.
//
//   we ──► node 0 ──► node 1 ──► node 2     OP_WRITE_BLOCK, and packets at once; the last one is empty
//      ◄──        ◄──        ◄──            one answer to the operation, then an ack of each packet
//
// The last node holds each packet's checksums against its bytes before it acknowledges, so acks of all packets say that the
// pipeline has what was sent. Nothing is mended here: a block is abandoned at the first failure, and written anew without the node
// that failed (../write-file.ts).

import { ParsError } from '../../../../introspect/pars-error.js';
import { startDeadline } from '../net/deadline.js';
import { isSilent, silence } from '../net/peer-error.js';
import type { PeerStream } from '../net/peer-stream.js';
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
import { type Connector, findSilent, maxAnswerBytes, nameOf, operation } from './data-nodes.js';
import { emptyPacket, heartbeatSequence, type PacketBuffer } from './packet.js';

export interface BlockWriterOptions {
  readonly clientName: string;
  /** Opens the message of each error: the operation and the path. */
  readonly doing: string;
  readonly connector: Connector;
  /** For the word of all nodes that they take the block. */
  readonly setupTimeoutMs: number;
  /** For the next ack, while there are packets without one. */
  readonly ackTimeoutMs: number;
  /** For a sign of life of each node, when the pipeline has fallen silent: for a connection, and for an answer. */
  readonly probeTimeoutMs: number;
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

/** Sent, and not acknowledged. */
const maxPendingPackets = 16;
/** An ack has a few bytes for each node. */
const maxAckBytes = 64 * 1024;
const ackBufferBytes = 4096;
/** Where content comes slowly: DataNodes take a silence of 60 s for a dead client (dfs.client.socket-timeout). */
const heartbeatMs = 15_000;

export class Pipeline {
  readonly #block: LocatedBlock;
  readonly #options: BlockWriterOptions;
  readonly #stream: PeerStream;
  /** Sequence numbers of packets without an ack, in the order in which they were sent. */
  readonly #pending: number[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  /** Resolves when it has failed. */
  readonly #failed: Promise<void>;
  #setFailed: () => void = () => undefined;
  #stopWaiting: () => void = () => undefined;
  /** All nodes take the block: from then on acks are to come. */
  #isTaken = false;
  #sequence = 0;
  #sizeBytes = 0;
  #lastSentMs = performance.now();
  #failure: unknown;
  #wake: () => void = () => undefined;

  private constructor(block: LocatedBlock, stream: PeerStream, options: BlockWriterOptions) {
    this.#block = block;
    this.#stream = stream;
    this.#options = options;
    this.#failed = new Promise((resolve) => {
      this.#setFailed = resolve;
    });
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#lastSentMs >= heartbeatMs) {
        this.#post(emptyPacket(0, heartbeatSequence, false));
      }
    }, heartbeatMs);
    this.#post(operation(operations.writeBlock, opWriteBlock, request(block, options)));
    void this.#readAnswers();
  }

  /** Packets may be sent as soon as it is open: what the nodes say to the block is heard meanwhile. */
  static async open(block: LocatedBlock, options: BlockWriterOptions): Promise<Pipeline> {
    const { doing, connector, signal } = options;
    const [first] = block.locs as readonly (DatanodeInfo | undefined)[];
    if (first === undefined) {
      throw new ParsError('unavailable', `${doing}: the NameNode names no DataNode for the block`);
    }
    try {
      const stream = await connector.connect(first, block.blockToken, {
        doing,
        bufferSizeBytes: ackBufferBytes,
        signal,
      });
      return new Pipeline(block, stream, options);
    } catch (error) {
      throw await pipelineFailure(block, error, options);
    }
  }

  /** What `awaited` gives, unless the pipeline fails before. */
  async unlessFailed<T>(awaited: Promise<T>): Promise<T> {
    await Promise.race([awaited, this.#failed]);
    await this.#throwIfFailed();
    return await awaited;
  }

  /** Takes `buffer` until its bytes are gone, and then gives it to `giveBack`. */
  async send(buffer: PacketBuffer, giveBack: (buffer: PacketBuffer) => void): Promise<void> {
    await this.#until(() => this.#pending.length < maxPendingPackets);
    const bytes = buffer.seal(this.#sizeBytes, this.#expectAck());
    this.#sizeBytes += buffer.dataBytes;
    this.#post(bytes, () => {
      giveBack(buffer);
    });
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
    if (this.#pending.length === 0 || !this.#isTaken) {
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

  async #readAnswers(): Promise<void> {
    try {
      await this.#readSetup();
      this.#isTaken = true;
      this.#awaitAck();
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

  async #readSetup(): Promise<void> {
    const { doing, setupTimeoutMs } = this.#options;
    const { locs } = this.#block;
    const answer = await this.#stream.message(blockOpResponse, maxAnswerBytes, setupTimeoutMs);
    if (answer.status === statuses.success) {
      return;
    }
    const bad = locs.find((node) => nameOf(node) === answer.firstBadLink) ?? locs[0];
    throw new PipelineFailure(
      `${doing}: the DataNode ${nameOf(bad)} does not take the block: ${statusInWords(answer.status)}` +
        (answer.message === undefined ? '' : `: ${answer.message.split('\n', 1)[0]}`),
      [bad],
      undefined,
    );
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
    this.#setFailed();
    this.#wake();
  }

  async #throwIfFailed(): Promise<void> {
    if (this.#failure !== undefined) {
      throw await pipelineFailure(this.#block, this.#failure, this.#options);
    }
  }

  async #until(isReached: () => boolean): Promise<void> {
    for (;;) {
      await this.#throwIfFailed();
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
  options: BlockWriterOptions,
): Promise<unknown> {
  if (!(error instanceof ParsError) || error instanceof PipelineFailure) {
    return error;
  }
  if (error.code === 'cancelled') {
    return error;
  }
  const silent = isSilent(error) ? await findSilent(block, options) : [];
  const names = silent.map(nameOf).join(', ');
  const found = silent.length === 0 ? '' : `; of the block's nodes these do not answer: ${names}`;
  const nodes = silent.length === 0 ? block.locs.slice(0, 1) : silent;
  return new PipelineFailure(`${error.message}${found}`, nodes, error);
}
