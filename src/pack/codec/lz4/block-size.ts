// How small LZ4 makes what is no frame: for comparing a snapshot with the whole file compressed.
import { Lz4Memory } from './lz4-memory.js';

let memory: Lz4Memory | undefined;

/** How long `bytes` are as one LZ4 block, which may be longer than they are. Memory for the longest that came stays. */
export function lz4BlockBytes(bytes: Uint8Array): number {
  if (memory === undefined || memory.raw.length < bytes.length) {
    memory = new Lz4Memory(bytes.length);
  }
  memory.raw.set(bytes);
  return memory.compress(bytes.length, memory.block.length);
}
