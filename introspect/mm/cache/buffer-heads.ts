// Where a file page's blocks lie on its device, by the buffers that the file system keeps with the page: struct
// buffer_head, a circle that begins in the folio's `private` (include/linux/buffer_head.h, fs/buffer.c).
//
// The circle is in the order of the blocks. A guest's memory may hold anything in its place, so every buffer is held
// against the one position that it can have, and the circle must close after exactly as many as the folio has room for.
import type { Kernel } from '../../kernel/kernel.js';
import { pageSizeBytes } from '../../memory/physical-memory.js';

/** What `BufferHeads.offsetBytes` has for a page whose place is not known. */
export const noBlocks = -1;

/** Buffers of 512 bytes at the least (fs/buffer.c, alloc_page_buffers). */
const smallestBufferBytes = 512;
/** Members further in than this are damage: the struct has some hundred bytes. */
const structLimitBytes = 512;
const wordBytes = 8;
/** More pages than this are in no file's folio (MAX_PAGECACHE_ORDER). */
const folioPageLimit = 2048;

interface Offsets {
  readonly state: number;
  readonly next: number;
  readonly blockNumber: number;
  readonly size: number;
  readonly data: number;
  readonly device: number;
}

export class BufferHeads {
  /** The byte offset on the device of every page of the folio read last, or `noBlocks`. */
  readonly offsetBytes = new Float64Array(folioPageLimit);
  readonly #memory: Kernel['memory'];
  readonly #at: Offsets | undefined;
  readonly #mappedBit: bigint;
  readonly #buffer: Buffer;

  constructor({ btf, memory }: Kernel) {
    this.#memory = memory;
    const offset = (name: string): number =>
      btf.struct('buffer_head')?.member(name)?.offsetBytes ?? structLimitBytes;
    const at = {
      state: offset('b_state'),
      next: offset('b_this_page'),
      blockNumber: offset('b_blocknr'),
      size: offset('b_size'),
      data: offset('b_data'),
      device: offset('b_bdev'),
    };
    const mapped = btf.enumeration('bh_state_bits')?.get('BH_Mapped');
    const end = Math.max(...Object.values(at)) + wordBytes;
    const isSound = end <= structLimitBytes && mapped !== undefined && mapped >= 0 && mapped < 64;
    this.#at = isSound ? at : undefined;
    this.#mappedBit = isSound ? 1n << BigInt(mapped) : 0n;
    this.#buffer = Buffer.alloc(isSound ? end : 0);
  }

  /**
   * Fills `offsetBytes` for a folio of `pageCount` pages, from `first`, its `private`. A page whose buffers are not all
   * mapped, one behind the other, has no place; nor has any page of a folio whose circle does not hold.
   *
   * `device`: address of the struct block_device that they must be on.
   */
  read(first: bigint, pageCount: number, device: bigint): void {
    if (pageCount > folioPageLimit) {
      return;
    }
    const offsets = this.offsetBytes.fill(noBlocks, 0, pageCount);
    if (!this.#walk(first, pageCount * pageSizeBytes, device)) {
      offsets.fill(noBlocks, 0, pageCount);
    }
  }

  /** Whether `read` can say anything about a folio of so many pages. */
  knows(pageCount: number): boolean {
    return this.#at !== undefined && pageCount <= folioPageLimit;
  }

  #walk(first: bigint, folioBytes: number, device: bigint): boolean {
    const at = this.#at;
    const bytes = this.#buffer;
    if (at === undefined) {
      return false;
    }
    let address = first;
    let sizeBytes = 0;
    for (let position = 0; position < folioBytes; position += sizeBytes) {
      if (address === 0n || !this.#memory.read(address, bytes)) {
        return false;
      }
      const size = bytes.readBigUInt64LE(at.size);
      if (position === 0) {
        sizeBytes = Number(size);
        if (
          sizeBytes < smallestBufferBytes ||
          sizeBytes > folioBytes ||
          !Number.isInteger(Math.log2(sizeBytes))
        ) {
          return false;
        }
      }
      // A folio is aligned to its size, so the low bits of a buffer's address are its place in the folio.
      const placeInFolio = Number(bytes.readBigUInt64LE(at.data) & BigInt(folioBytes - 1));
      if (
        size !== BigInt(sizeBytes) ||
        placeInFolio !== position ||
        bytes.readBigUInt64LE(at.device) !== device
      ) {
        return false;
      }
      const isMapped = (bytes.readBigUInt64LE(at.state) & this.#mappedBit) !== 0n;
      const start = Number(bytes.readBigUInt64LE(at.blockNumber)) * sizeBytes;
      this.#place(position, sizeBytes, isMapped && Number.isSafeInteger(start) ? start : noBlocks);
      address = bytes.readBigUInt64LE(at.next);
    }
    return address === first;
  }

  /** A buffer at `position` of the folio lies at `start` on the device. */
  #place(position: number, sizeBytes: number, start: number): void {
    const offsets = this.offsetBytes;
    const page = Math.floor(position / pageSizeBytes);
    const within = position % pageSizeBytes;
    if (within > 0) {
      if (offsets[page] !== noBlocks && offsets[page] + within !== start) {
        offsets[page] = noBlocks;
      }
      return;
    }
    for (let done = 0; done < sizeBytes; done += pageSizeBytes) {
      offsets[page + done / pageSizeBytes] = start === noBlocks ? noBlocks : start + done;
    }
  }
}
