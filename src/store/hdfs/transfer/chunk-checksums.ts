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

/** `target` has as many bytes as `checksumsSizeBytes` says of `data`. */
export function writeChecksums(checksum: ChunkChecksum, data: Uint8Array, target: Buffer): void {
  const { bytesPerChunk } = checksum;
  const bytes = plain(data);
  const crcOf = crcOfType(checksum);
  for (let at = 0, from = 0; from < bytes.length; at += checksumBytes, from += bytesPerChunk) {
    target.writeUInt32BE(crcOf(bytes.subarray(from, from + bytesPerChunk)), at);
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
