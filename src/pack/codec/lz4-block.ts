// LZ4 as lz4-napi has it: its result is a plain LZ4 block with the raw length before it.
import { compressSync } from 'lz4-napi';

/** Little-endian, of the raw bytes. */
export const lz4LengthBytes = 4;

/** How long `bytes` are as one LZ4 block, which may be longer than they are. Like `encodeFrames`, it wants turns of the event loop. */
export function lz4BlockBytes(bytes: Uint8Array): number {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return compressSync(raw).length - lz4LengthBytes;
}
