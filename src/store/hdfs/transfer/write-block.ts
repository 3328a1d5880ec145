// Writing content that comes as a stream, as one block.

import type { LocatedBlock } from '../proto/hdfs.js';
import type { PacketBuffer } from './packet.js';
import type { PacketSource } from './packet-source.js';
import { type BlockWriterOptions, Pipeline } from './pipeline.js';

/**
 * Writes all of `packets` as the whole of `block` and returns its size. Throws PipelineFailure when a DataNode fails, `cancelled`
 * when the signal is aborted, and what the content throws as it is.
 */
export async function writeBlock(
  block: LocatedBlock,
  packets: PacketSource,
  options: BlockWriterOptions,
): Promise<number> {
  const pipeline = await Pipeline.open(block, options);
  const giveBack = (buffer: PacketBuffer): void => {
    packets.giveBack(buffer);
  };
  try {
    for (;;) {
      const packet = await pipeline.unlessFailed(packets.next());
      if (packet === undefined) {
        return await pipeline.finish();
      }
      await pipeline.send(packet, giveBack);
    }
  } finally {
    pipeline.close();
  }
}
