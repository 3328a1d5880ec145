// The checksum that HDFS answers for a file in units of an erasure code, computed from the bytes on their way to HDFS. As that of a
// file of copies (../file-checksum.ts), but that in the place of a block's MD5 stands that of a group: over the MD5s of its data
// units, in a buffer with the same trap. Of parity it says nothing.
//
//   cells of 1 MiB, in turn     unit 0: 0 6 12 ...   unit 1: 1 7 13 ...
//   MD5 of each unit's CRC32Cs  MD5 of unit 0        MD5 of unit 1
//   over the MD5s               MD5 ( MD5 MD5 ... 0000 ), the group's
//   over the groups             MD5 ( MD5 0000 )

import type { ReedSolomon } from '../../redundancy.js';
import { FileChecksum, md5OfBuffer } from '../file-checksum.js';

/** Beyond what a unit of one group may have: it is one block to its checksum. */
const wholeUnitBytes = 2 ** 40;

/** Takes the bytes of a file of one group in order, in pieces of any size. */
export class CodedChecksum {
  readonly #units: readonly FileChecksum[];
  readonly #cellSizeBytes: number;
  #sizeBytes = 0;

  constructor({ dataUnitCount, cellSizeBytes }: ReedSolomon) {
    this.#units = Array.from({ length: dataUnitCount }, () => new FileChecksum(wholeUnitBytes));
    this.#cellSizeBytes = cellSizeBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  update(bytes: Uint8Array): void {
    let offsetBytes = 0;
    while (offsetBytes < bytes.length) {
      const cell = Math.floor(this.#sizeBytes / this.#cellSizeBytes);
      const restBytes = (cell + 1) * this.#cellSizeBytes - this.#sizeBytes;
      const piece = bytes.subarray(offsetBytes, offsetBytes + restBytes);
      this.#units[cell % this.#units.length].update(piece);
      this.#sizeBytes += piece.length;
      offsetBytes += piece.length;
    }
  }

  /** The 16 bytes at the end of HDFS's answer, in hex. Ends the computation. */
  digest(): string {
    const md5s = this.#units.flatMap((unit) => unit.blockMd5s());
    return md5OfBuffer(md5s.length === 0 ? [] : [md5OfBuffer(md5s)]).toString('hex');
  }
}
