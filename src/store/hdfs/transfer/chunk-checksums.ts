// The checksums that HDFS keeps of each chunk of a block, four bytes each, big-endian.

import { crc32, crc32c } from '@node-rs/crc32';
import { checksumTypes } from '../proto/hdfs.js';

export const checksumBytes = 4;

export interface ChunkChecksum {
  /** One of `checksumTypes`. */
  readonly type: number;
  readonly bytesPerChunk: number;
}

/** The checksums of files that are written here: what HDFS itself writes unless told otherwise (dfs.bytes-per-checksum). */
export const writtenChecksum: ChunkChecksum = { type: checksumTypes.crc32c, bytesPerChunk: 512 };

export function checksumsSizeBytes(
  { type, bytesPerChunk }: ChunkChecksum,
  dataSizeBytes: number,
): number {
  return type === checksumTypes.none ? 0 : checksumBytes * Math.ceil(dataSizeBytes / bytesPerChunk);
}

/** Memory that is checksummed again and again: its chunks, of which a view each is made once. */
export class ChunkViews {
  readonly #checksum: ChunkChecksum;
  readonly #memory: Uint8Array;
  readonly #views: Uint8Array[] = [];

  constructor(checksum: ChunkChecksum, memory: Uint8Array) {
    this.#checksum = checksum;
    this.#memory = plain(memory);
  }

  /** Checksums the first `sizeBytes` bytes. `target` has as many bytes as `checksumsSizeBytes` says of these. */
  writeChecksums(sizeBytes: number, target: Buffer): void {
    const { bytesPerChunk } = this.#checksum;
    const crcOf = crcOfType(this.#checksum);
    const wholeCount = Math.floor(sizeBytes / bytesPerChunk);
    for (let index = 0; index < wholeCount; index++) {
      target.writeUInt32BE(crcOf(this.#view(index)), index * checksumBytes);
    }
    if (sizeBytes % bytesPerChunk !== 0) {
      const rest = this.#memory.subarray(wholeCount * bytesPerChunk, sizeBytes);
      target.writeUInt32BE(crcOf(rest), wholeCount * checksumBytes);
    }
  }

  #view(index: number): Uint8Array {
    const { bytesPerChunk } = this.#checksum;
    // In their order, so that the list has no holes.
    while (this.#views.length <= index) {
      const fromBytes = this.#views.length * bytesPerChunk;
      this.#views.push(this.#memory.subarray(fromBytes, fromBytes + bytesPerChunk));
    }
    return this.#views[index];
  }
}

/** Where the first chunk begins whose bytes are not those that the checksums are of. */
export function findWrongChunk(
  checksum: ChunkChecksum,
  data: Uint8Array,
  checksums: Buffer,
): number | undefined {
  if (checksum.type === checksumTypes.none) {
    return undefined;
  }
  const { bytesPerChunk } = checksum;
  const bytes = plain(data);
  const crcOf = crcOfType(checksum);
  for (let at = 0, from = 0; from < bytes.length; at += checksumBytes, from += bytesPerChunk) {
    const crc = crcOf(bytes.subarray(from, from + bytesPerChunk));
    if (crc !== checksums.readUInt32BE(at)) {
      return from;
    }
  }
  return undefined;
}

/** A view of the bytes that is no Buffer: a view of a Buffer costs more, and one is made of each chunk. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function crcOfType({ type }: ChunkChecksum): (data: Uint8Array) => number {
  return type === checksumTypes.crc32c ? (data) => crc32c(data) : (data) => crc32(data);
}
