// The checksum file beside every copy, as Hadoop's ChecksumFileSystem keeps one: a CRC32C per 64 KiB, so that a range
// is verified by reading little more than the range. Little-endian:
//
//   offset  size  field
//        0     8  magic "PARSCSUM"
//        8     4  version, 1
//       12     4  chunk size in bytes, 65536
//       16     8  size of the copy in bytes
//       24    4n  CRC32C of each chunk; n = size / 65536 rounded up, the last chunk may be short
//   24 + 4n     4  CRC32C of everything before

import { crc32c } from '@node-rs/crc32';
import { ParsError } from '../../../introspect/pars-error.js';

export const chunkSizeBytes = 65536;

const magic = Buffer.from('PARSCSUM', 'latin1');
const version = 1;
const headerSizeBytes = 24;
const checksumSizeBytes = 4;

/** The checksum file's whole size for a copy of `copySizeBytes`. */
export function checksumFileSizeBytes(copySizeBytes: number): number {
  const chunkCount = Math.ceil(copySizeBytes / chunkSizeBytes);
  return headerSizeBytes + (chunkCount + 1) * checksumSizeBytes;
}

/** Takes a copy's bytes in order, in pieces of any size, and gives its checksum file. */
export class ChunkChecksummer {
  readonly #checksums: number[] = [];
  #sizeBytes = 0;

  update(bytes: Uint8Array): void {
    let offsetBytes = 0;
    while (offsetBytes < bytes.length) {
      const filledBytes = this.#sizeBytes % chunkSizeBytes;
      const piece = bytes.subarray(offsetBytes, offsetBytes + chunkSizeBytes - filledBytes);
      const before = filledBytes === 0 ? 0 : this.#checksums.pop();
      this.#checksums.push(crc32c(piece, before));
      this.#sizeBytes += piece.length;
      offsetBytes += piece.length;
    }
  }

  encode(): Uint8Array {
    const file = Buffer.alloc(checksumFileSizeBytes(this.#sizeBytes));
    magic.copy(file);
    file.writeUInt32LE(version, 8);
    file.writeUInt32LE(chunkSizeBytes, 12);
    file.writeBigUInt64LE(BigInt(this.#sizeBytes), 16);
    for (const [index, checksum] of this.#checksums.entries()) {
      file.writeUInt32LE(checksum, headerSizeBytes + index * checksumSizeBytes);
    }
    const bodySizeBytes = file.length - checksumSizeBytes;
    file.writeUInt32LE(crc32c(file.subarray(0, bodySizeBytes)), bodySizeBytes);
    return file;
  }
}

/**
 * The checksums in the checksum file `file` of a copy of `copySizeBytes`. `where` opens the messages. Throws
 * `unsupported` for another version and `corrupt` for anything else that is not as `encode` leaves it.
 */
export function decodeChecksumFile(
  file: Buffer,
  copySizeBytes: number,
  where: string,
): readonly number[] {
  const expectedSizeBytes = checksumFileSizeBytes(copySizeBytes);
  if (file.length !== expectedSizeBytes) {
    throw new ParsError(
      'corrupt',
      `${where}: expected a checksum file of ${expectedSizeBytes} bytes, found ${file.length}`,
    );
  }
  if (!magic.equals(file.subarray(0, magic.length))) {
    throw new ParsError('corrupt', `${where}: the checksum file does not begin with PARSCSUM`);
  }
  const bodySizeBytes = file.length - checksumSizeBytes;
  if (crc32c(file.subarray(0, bodySizeBytes)) !== file.readUInt32LE(bodySizeBytes)) {
    throw new ParsError('corrupt', `${where}: the checksum file does not match its own checksum`);
  }
  const foundVersion = file.readUInt32LE(8);
  if (foundVersion !== version || file.readUInt32LE(12) !== chunkSizeBytes) {
    throw new ParsError(
      'unsupported',
      `${where}: expected a checksum file of version ${version}, found ${foundVersion}; use a newer program`,
    );
  }
  if (file.readBigUInt64LE(16) !== BigInt(copySizeBytes)) {
    throw new ParsError('corrupt', `${where}: the checksum file is another file's, by its size`);
  }
  const checksums: number[] = [];
  for (let at = headerSizeBytes; at < bodySizeBytes; at += checksumSizeBytes) {
    checksums.push(file.readUInt32LE(at));
  }
  return checksums;
}

/** The index, counted from the copy's start, of the first chunk in `bytes` that is wrong. `bytes` begins with a chunk. */
export function firstBadChunk(
  checksums: readonly number[],
  firstChunkIndex: number,
  bytes: Uint8Array,
): number | undefined {
  for (let at = 0; at < bytes.length; at += chunkSizeBytes) {
    const chunkIndex = firstChunkIndex + at / chunkSizeBytes;
    if (crc32c(bytes.subarray(at, at + chunkSizeBytes)) !== checksums[chunkIndex]) {
      return chunkIndex;
    }
  }
  return undefined;
}
