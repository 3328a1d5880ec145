// One block, written from a worker thread: what is put into it goes to a pipeline of DataNodes from there. Opened by its name,
// `#hdfs-block-sink`.
//
// Bytes are put where the packet has its data, so none is copied on its way to the kernel. A packet goes as soon as it has about
// as much as others, and leaves what is no whole chunk to the next.

import { ParsError } from '../../../../introspect/pars-error.js';
import { maxRoomBytes, type Sink, type SinkPlan } from '../../threads/sink.js';
import type { LocatedBlock } from '../proto/hdfs.js';
import { type ConnectorPlan, DataNodeConnector } from './data-node-connector.js';
import { nameOf } from './data-nodes.js';
import { UnknownKey } from './handshake.js';
import { PacketBuffer, packetDataBytes, PacketMemory } from './packet.js';
import { type BlockWriterOptions, Pipeline, PipelineFailure } from './pipeline.js';

/** What crosses to the thread. */
export interface BlockSinkSettings extends Omit<BlockWriterOptions, 'connector' | 'signal'> {
  readonly block: LocatedBlock;
  readonly blockSizeBytes: number;
  readonly connector: ConnectorPlan;
}

/** What the main thread is to know of a failure. */
export interface BlockSinkFailure {
  /** Names of the nodes to be left out of the next attempt; undefined where none is to blame. */
  readonly blamed: readonly string[] | undefined;
  /** Another key is to be asked for. */
  readonly isKeyUnknown: boolean;
}

export function blockSinkPlan(settings: BlockSinkSettings): SinkPlan {
  return { module: '#hdfs-block-sink', settings };
}

/** Filled, or sent and not yet taken by the kernel, of one block. */
const bufferCount = 4;
/** Room for one more piece where the packet is nearly long enough. */
const bufferRoomBytes = packetDataBytes + maxRoomBytes;

/** For all blocks that this thread writes, one after the other and two at a time. */
const memory = new PacketMemory(() => new PacketBuffer(bufferRoomBytes));

export function openSink(settings: unknown, signal: AbortSignal): Sink {
  return new BlockSink(settings as BlockSinkSettings, signal);
}

class BlockSink implements Sink {
  readonly #settings: BlockSinkSettings;
  readonly #pipeline: Promise<Pipeline>;
  #current: PacketBuffer | undefined;
  #usedCount = 0;
  #sizeBytes = 0;
  #wake: () => void = () => undefined;

  /** The connection is made while there are no bytes yet. */
  constructor(settings: BlockSinkSettings, signal: AbortSignal) {
    this.#settings = settings;
    const connector = DataNodeConnector.planned(settings.connector);
    this.#pipeline = Pipeline.open(settings.block, { ...settings, connector, signal });
    this.#pipeline.catch(() => undefined);
  }

  async room(sizeBytes: number): Promise<Buffer> {
    if (this.#current !== undefined && this.#current.room().length < sizeBytes) {
      await this.#sendCurrent();
    }
    this.#current ??= await this.#emptyBuffer();
    return this.#current.room().subarray(0, sizeBytes);
  }

  async took(sizeBytes: number): Promise<void> {
    const { doing, blockSizeBytes } = this.#settings;
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > blockSizeBytes) {
      throw new ParsError(
        'usage',
        `${doing}: the content is over its block size of ${blockSizeBytes} bytes; ` +
          `a block is the unit of loss, so write less or choose larger blocks`,
      );
    }
    this.#current?.took(sizeBytes);
    if (this.#current !== undefined && this.#current.dataBytes >= packetDataBytes) {
      await this.#sendCurrent();
    }
  }

  async finish(): Promise<void> {
    const pipeline = await this.#pipeline;
    if (this.#current !== undefined && this.#current.dataBytes > 0) {
      await pipeline.send(this.#current, this.#giveBack);
      this.#current = undefined;
    }
    await pipeline.finish();
  }

  close(): void {
    // Buffers that are on their way stay with the socket that is being closed: their memory is not used again.
    if (this.#current !== undefined) {
      this.#giveBack(this.#current);
      this.#current = undefined;
    }
    this.#pipeline.then(
      (pipeline) => {
        pipeline.close();
      },
      () => undefined,
    );
  }

  detailOf(error: unknown): BlockSinkFailure {
    return {
      blamed: error instanceof PipelineFailure ? error.nodes.map(nameOf) : undefined,
      isKeyUnknown:
        error instanceof UnknownKey ||
        (error instanceof PipelineFailure && error.cause instanceof UnknownKey),
    };
  }

  async #sendCurrent(): Promise<void> {
    const full = this.#current;
    if (full === undefined) {
      return;
    }
    const pipeline = await this.#pipeline;
    const next = await this.#emptyBuffer(pipeline);
    full.leaveRestTo(next);
    this.#current = next;
    await pipeline.send(full, this.#giveBack);
  }

  async #emptyBuffer(pipeline?: Pipeline): Promise<PacketBuffer> {
    while (this.#usedCount >= bufferCount) {
      const given = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await (pipeline ?? (await this.#pipeline)).unlessFailed(given);
    }
    this.#usedCount++;
    return memory.take();
  }

  readonly #giveBack = (buffer: PacketBuffer): void => {
    this.#usedCount--;
    memory.give(buffer);
    this.#wake();
  };
}
