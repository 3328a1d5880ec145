// Frames as LZ4 blocks, without the LZ4 frame format around them and without a dictionary.
import { windowSizeBytes } from '../../layout.js';
import type { FrameCodec } from '../codec.js';
import { Lz4Memory } from './lz4-memory.js';

let memory: Lz4Memory | undefined;

/** One for all frames of a thread. */
function frameMemory(): Lz4Memory {
  memory ??= new Lz4Memory(windowSizeBytes);
  return memory;
}

/**
 * Memory for the pages of one frame, from which they are packed, and into which they are unpacked, without a copy. There is one in
 * a thread: what lies there is gone when the next frame is packed or unpacked.
 */
export function pageWindow(sizeBytes: number): Buffer {
  return frameMemory().raw.subarray(0, sizeBytes);
}

export const lz4: FrameCodec = {
  number: 1,
  payload: 'LZ4 block',
  keepsSize: false,
  pack: (pages, into) => {
    const { raw, block } = frameMemory();
    if (!isBeginning(pages, raw)) {
      raw.set(pages);
    }
    const sizeBytes = frameMemory().compress(pages.length, pages.length - 1);
    if (sizeBytes === 0) {
      return undefined;
    }
    into.set(block.subarray(0, sizeBytes));
    return sizeBytes;
  },
  unpack: (payload, into) => {
    const { raw, block } = frameMemory();
    block.set(payload);
    const sizeBytes = frameMemory().decompress(payload.length, into.length);
    if (sizeBytes < 0) {
      throw new Error(`it is not in order, or more than ${into.length} bytes came out`);
    }
    if (sizeBytes !== into.length) {
      throw new Error(`${sizeBytes} bytes came out, expected ${into.length}`);
    }
    if (!isBeginning(into, raw)) {
      into.set(raw.subarray(0, sizeBytes));
    }
  },
};

function isBeginning(bytes: Uint8Array, memoryBytes: Uint8Array): boolean {
  return bytes.buffer === memoryBytes.buffer && bytes.byteOffset === memoryBytes.byteOffset;
}
