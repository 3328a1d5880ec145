// LZ4 blocks. lz4-napi reads and writes the unpacked length before a block, just as a frame's header ends with it: so a block is
// unpacked where it lies, without a copy.
import { compressSync, uncompressSync } from 'lz4-napi';
import type { FrameCodec } from './codec.js';
import { lz4LengthBytes } from './lz4-block.js';

export const lz4: FrameCodec = {
  number: 1,
  payload: 'LZ4 block',
  keepsSize: false,
  pack: (pages) => {
    const block = compressSync(pages).subarray(lz4LengthBytes);
    return block.length < pages.length ? block : undefined;
  },
  unpack: (bytes, payloadAt) => uncompressSync(bytes.subarray(payloadAt - lz4LengthBytes)),
};
