// The two ways of content into a block: as a stream that is asked for here, and from a worker thread, which has a connection of
// its own to the DataNodes. Whatever is said to the NameNode is said here.

import { ParsError } from '../../../introspect/pars-error.js';
import { chunksUntilAborted } from '../abort.js';
import type { CopiesToWrite } from '../check-write.js';
import { withinBlock } from '../hadoop/upload.js';
import type { ThreadContent } from '../threads/content.js';
import { SinkFailure } from '../threads/sink.js';
import type { LocatedBlock } from './proto/hdfs.js';
import { type BlockSinkFailure, blockSinkPlan } from './transfer/block-sink.js';
import type { DataNodeConnector } from './transfer/data-node-connector.js';
import { nameOf } from './transfer/data-nodes.js';
import type { PacketMemory } from './transfer/packet.js';
import { PacketSource } from './transfer/packet-source.js';
import { type BlockWriterOptions, PipelineFailure } from './transfer/pipeline.js';
import { writeBlock } from './transfer/write-block.js';

export interface BlockOptions extends BlockWriterOptions {
  readonly connector: DataNodeConnector;
  readonly blockSizeBytes: number;
}

export interface OutgoingContent {
  /** Whether there are any bytes, as soon as that is known. */
  hasBytes(): Promise<boolean>;
  /** Writes all of it as the whole of a block, and returns its size. Throws as `writeBlock`. */
  writeTo(block: LocatedBlock, options: BlockOptions): Promise<number>;
  /** Nothing of it is under way after that. */
  close(): Promise<void>;
}

/** The content is made while the file and its block are. */
export function streamed(
  open: () => AsyncGenerator<Uint8Array>,
  memory: PacketMemory,
  { blockSizeBytes, signal }: CopiesToWrite,
  doing: string,
): OutgoingContent {
  const content = chunksUntilAborted(withinBlock(open(), blockSizeBytes, doing), signal, doing);
  const packets = new PacketSource(content, memory);
  return {
    hasBytes: () => packets.hasBytes(),
    writeTo: (block, options) => writeBlock(block, packets, options),
    close: () => packets.close(),
  };
}

export function fromThread(content: ThreadContent): OutgoingContent {
  return {
    hasBytes: () => Promise.resolve(true),
    writeTo: async (block, { connector, signal, ...options }) => {
      const settings = { ...options, block, connector: await connector.plan(false) };
      try {
        return await content.send(blockSinkPlan(settings), signal);
      } catch (error) {
        throw error instanceof SinkFailure ? await failureOf(error, block, connector) : error;
      }
    },
    close: () => Promise.resolve(),
  };
}

async function failureOf(
  error: SinkFailure,
  block: LocatedBlock,
  connector: DataNodeConnector,
): Promise<ParsError> {
  const { blamed, isKeyUnknown } = error.detail as BlockSinkFailure;
  if (isKeyUnknown) {
    // The next attempt goes with another, and no node is to blame.
    await connector.plan(true);
    return error;
  }
  if (blamed === undefined) {
    return error;
  }
  const nodes = block.locs.filter((node) => blamed.includes(nameOf(node)));
  return new PipelineFailure(error.message, nodes, error);
}
