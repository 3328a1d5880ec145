// LZ4 as WebAssembly (assembly/block.ts), with the memory it works in. Nothing is made anew from one block to the next: what a
// binding of the C library costs here is not LZ4 but a fresh buffer for each result.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** What assembly/block.ts exports. Addresses are bytes of `memory`. */
interface Lz4Exports {
  readonly memory: WebAssembly.Memory;
  readonly tableSizeBytes: WebAssembly.Global<number>;
  readonly compress: (
    from: number,
    sizeBytes: number,
    to: number,
    roomBytes: number,
    table: number,
  ) => number;
  readonly decompress: (from: number, sizeBytes: number, to: number, roomBytes: number) => number;
}

/** Blocks are compressed and unpacked between two pieces of memory, both as long as `maxSizeBytes` asks. */
export class Lz4Memory {
  /** What is to be compressed, or came out of a block. */
  readonly raw: Buffer;
  /** A block: as long as the longest may become. */
  readonly block: Buffer;
  readonly #exports: Lz4Exports;
  readonly #tableAt: number;

  /** For pieces of up to `maxSizeBytes` bytes. */
  constructor(maxSizeBytes: number) {
    const { exports } = new WebAssembly.Instance(compiled());
    this.#exports = exports as Lz4Exports;
    const { memory, tableSizeBytes } = this.#exports;
    const maxBlockBytes = maxSizeBytes + Math.ceil(maxSizeBytes / 255) + 16;
    // All of it lies behind what the code has for itself. Views end when memory grows, so it grows once, before there are any.
    this.#tableAt = memory.buffer.byteLength;
    const rawAt = this.#tableAt + tableSizeBytes.value;
    const endAt = rawAt + maxSizeBytes + maxBlockBytes;
    memory.grow(Math.ceil((endAt - memory.buffer.byteLength) / wasmPageSizeBytes));
    this.raw = Buffer.from(memory.buffer, rawAt, maxSizeBytes);
    this.block = Buffer.from(memory.buffer, rawAt + maxSizeBytes, maxBlockBytes);
  }

  /** From `raw` to `block`. Returns the length of the block, 0 when it would be longer than `roomBytes`. */
  compress(rawSizeBytes: number, roomBytes: number): number {
    const { raw, block } = this;
    expectAtMost(rawSizeBytes, raw.length);
    expectAtMost(roomBytes, block.length);
    return this.#exports.compress(
      raw.byteOffset,
      rawSizeBytes,
      block.byteOffset,
      roomBytes,
      this.#tableAt,
    );
  }

  /** From `block` to `raw`. Returns how many bytes came out, -1 for a block that is not in order or holds more than `roomBytes`. */
  decompress(blockSizeBytes: number, roomBytes: number): number {
    const { raw, block } = this;
    expectAtMost(blockSizeBytes, block.length);
    expectAtMost(roomBytes, raw.length);
    return this.#exports.decompress(block.byteOffset, blockSizeBytes, raw.byteOffset, roomBytes);
  }
}

const wasmPageSizeBytes = 65_536;

/** The WebAssembly believes what it is told of lengths. */
function expectAtMost(sizeBytes: number, limitBytes: number): void {
  if (!(sizeBytes >= 0 && sizeBytes <= limitBytes)) {
    throw new RangeError(`expected at most ${limitBytes} bytes for LZ4, found ${sizeBytes}`);
  }
}

let module: WebAssembly.Module | undefined;

function compiled(): WebAssembly.Module {
  const path = createRequire(import.meta.url).resolve('#lz4-block');
  module ??= new WebAssembly.Module(readFileSync(path));
  return module;
}
