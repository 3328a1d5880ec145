// The checksum that HDFS keeps of a file (GETFILECHECKSUM), computed from the bytes on their way to HDFS. Equal
// checksums mean that the cluster has what was sent, without reading it back.
//
//   CRC32C of every 512 bytes        512 512 512 ... | 512 512 ..
//   big-endian, joined, per block    MD5 of block 0  | MD5 of block 1
//   over the MD5s                    MD5 ( MD5 MD5 0000... )
//
// The last step holds a trap. Hadoop collects the blocks' MD5s in a buffer that starts at 32 bytes and doubles, and
// takes the MD5 of the whole buffer, not of its filled part (FileChecksumHelper, kept for compatibility). So they are
// padded with zeros to the next of 32, 64, 128 ... bytes. An empty file has 32 zeros.

import { createHash, type Hash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';

/** dfs.bytes-per-checksum; with another value the cluster answers another algorithm name. */
const bytesPerCrc = 512;
const smallestBufferBytes = 32;

/** Takes a file's bytes in order, in pieces of any size. */
export class FileChecksum {
  readonly blockSizeBytes: number;
  readonly #blockMd5s: Buffer[] = [];
  #sizeBytes = 0;
  #blockHash: Hash | undefined;
  /** CRC32C of the bytes since the last multiple of 512. */
  #crc = 0;

  /** `blockSizeBytes` is a multiple of 512, as HDFS demands. */
  constructor(blockSizeBytes: number) {
    this.blockSizeBytes = blockSizeBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  update(given: Uint8Array): void {
    // A view of a Buffer costs more than one of this, and one is made of every 512 bytes.
    const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length);
    let offsetBytes = 0;
    while (offsetBytes < bytes.length) {
      const restOfBlock = this.blockSizeBytes - (this.#sizeBytes % this.blockSizeBytes);
      const piece = bytes.subarray(offsetBytes, offsetBytes + restOfBlock);
      this.#updateBlock(piece);
      if (piece.length === restOfBlock) {
        this.#endBlock();
      }
      offsetBytes += piece.length;
    }
  }

  /** The 16 bytes at the end of HDFS's answer, in hex. Ends the computation. */
  digest(): string {
    return md5OfBuffer(this.blockMd5s()).toString('hex');
  }

  /** The MD5 of each block. Ends the computation. */
  blockMd5s(): readonly Buffer[] {
    if (this.#sizeBytes % bytesPerCrc !== 0) {
      this.#blockHash?.update(bigEndian(this.#crc));
    }
    if (this.#blockHash) {
      this.#endBlock();
    }
    return this.#blockMd5s;
  }

  /** `bytes` do not reach beyond the current block. */
  #updateBlock(bytes: Uint8Array): void {
    this.#blockHash ??= createHash('md5');
    const crcs = Buffer.allocUnsafe(4 * (Math.floor(bytes.length / bytesPerCrc) + 1));
    let crcsBytes = 0;
    let offsetBytes = 0;
    while (offsetBytes < bytes.length) {
      const filledBytes = this.#sizeBytes % bytesPerCrc;
      const piece = bytes.subarray(offsetBytes, offsetBytes + bytesPerCrc - filledBytes);
      this.#crc = filledBytes === 0 ? crc32c(piece) : crc32c(piece, this.#crc);
      this.#sizeBytes += piece.length;
      offsetBytes += piece.length;
      if (this.#sizeBytes % bytesPerCrc === 0) {
        crcsBytes = crcs.writeUInt32BE(this.#crc, crcsBytes);
      }
    }
    this.#blockHash.update(crcs.subarray(0, crcsBytes));
  }

  #endBlock(): void {
    if (!this.#blockHash) {
      return;
    }
    this.#blockMd5s.push(this.#blockHash.digest());
    this.#blockHash = undefined;
  }
}

/** The MD5 of a buffer that Hadoop collects MD5s in, with what it has room for behind them. */
export function md5OfBuffer(md5s: readonly Uint8Array[]): Buffer {
  const filled = Buffer.concat(md5s);
  let bufferBytes = smallestBufferBytes;
  while (bufferBytes < filled.length) {
    bufferBytes *= 2;
  }
  const buffer = Buffer.alloc(bufferBytes);
  filled.copy(buffer);
  return createHash('md5').update(buffer).digest();
}

/** The 16 bytes of an answer of HDFS in hex, or undefined when it is of an algorithm that is not computed here. */
export function comparableMd5(algorithm: string, bytesHex: string): string | undefined {
  // "MD5-of-4096MD5-of-512CRC32C", "MD5-of-0MD5-of-512CRC32C" for a single block, ...-of-0CRC32 for an empty file.
  if (!/^MD5-of-\d+MD5-of-(512CRC32C|0CRC32)$/.test(algorithm)) {
    return undefined;
  }
  // 4 bytes bytesPerCRC, 8 bytes crcPerBlock, 16 bytes MD5; WebHDFS pads the 28 bytes with zeros.
  return /^[0-9a-f]{24}([0-9a-f]{32})/.exec(bytesHex)?.[1];
}

function bigEndian(crc: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(crc);
  return bytes;
}
