// The sections named ram: the list of blocks, then records of pages (qemu migration/ram.c).
//
//   u64 offset | flags   [u8 length | block's name, unless the flag continue is set]   content
//     zero: one byte, 0      page: 4096 bytes      end of section: nothing
import type { ImageFile } from '../image-file.js';
import { pageSizeBytes } from '../physical-memory.js';
import {
  mappedRamHeaderSizeBytes,
  mappedRamVersion,
  ramFlags,
  ramFlagsMask,
  ramVersion,
} from './layout.js';
import { MappedPages, SentPages } from './page-places.js';
import type { StreamReader } from './stream-reader.js';
import type { RamBlock } from './types.js';

/** A machine has some twenty, and one more for each memory module. */
const maxBlockCount = 4096;
/** What a manifest can describe: src/manifest/FORMAT.md. */
export const maxRamBytes = 2 ** 40;
/** How much the blocks beside the RAM may have: video memory and firmware, which are kept with the device state. */
export const maxOtherBytes = 16 * 2 ** 30;
const bitmapWordBytes = 8;

interface ListedBlock {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sent: SentPages;
  readonly mapped: { readonly bitmapOffset: number; readonly pagesOffset: number } | undefined;
}

export class RamDecoder {
  readonly sectionId: number;
  readonly isMapped: boolean;
  readonly isRamElsewhere: boolean;
  /** What the blocks have together. */
  readonly totalBytes: number;
  readonly #blocks = new Map<string, ListedBlock>();
  #lastBlock: ListedBlock | undefined;

  /** Reads the list of blocks; the reader stands behind the section's head. */
  constructor(
    reader: StreamReader,
    sectionId: number,
    version: number,
    capabilities: readonly string[],
  ) {
    if (version !== ramVersion) {
      throw reader.unsupported(`expected RAM sections of version ${ramVersion}, found ${version}`);
    }
    this.sectionId = sectionId;
    this.isRamElsewhere = capabilities.includes('x-ignore-shared');
    this.isMapped = capabilities.includes('mapped-ram');
    this.totalBytes = this.#decodeBlocks(reader);
    const offset = reader.offset;
    const word = reader.u64();
    // With multifd QEMU asks its channels to finish here; with mapped-ram they have written to the same file.
    if (word !== ramFlags.endOfSection) {
      throw refused(reader, word % (ramFlagsMask + 1), offset);
    }
  }

  /** Records up to the section's end. */
  decodePages(reader: StreamReader): void {
    for (;;) {
      const offset = reader.offset;
      const word = reader.u64();
      const flags = word % (ramFlagsMask + 1);
      if (flags === ramFlags.endOfSection) {
        return;
      }
      const kind = flags & ~ramFlags.continue;
      if (this.isMapped || (kind !== ramFlags.zero && kind !== ramFlags.page)) {
        throw refused(reader, flags, offset);
      }
      const block = (flags & ramFlags.continue) === 0 ? this.#named(reader) : this.#lastBlock;
      const pageOffset = word - flags;
      if (block === undefined || pageOffset >= block.sizeBytes) {
        throw reader.damaged(
          offset,
          "a page within the last record's block",
          block === undefined ? 'no block before it' : `offset ${pageOffset} of ${block.name}`,
        );
      }
      this.#lastBlock = block;
      if (kind === ramFlags.page) {
        block.sent.send(pageOffset / pageSizeBytes, reader.offset);
        reader.skip(pageSizeBytes);
      } else {
        const fill = reader.u8();
        if (fill !== 0) {
          throw reader.damaged(
            reader.offset - 1,
            'a page filled with 0',
            `one filled with ${fill}`,
          );
        }
        block.sent.send(pageOffset / pageSizeBytes, 0);
      }
    }
  }

  /** Where the pages lie, once all sections are read. */
  finish(file: ImageFile): readonly RamBlock[] {
    return [...this.#blocks.values()].map(({ name, sizeBytes, sent, mapped }) => {
      if (mapped === undefined) {
        return { name, sizeBytes, places: sent };
      }
      const pageCount = sizeBytes / pageSizeBytes;
      const bitmap = Buffer.alloc(bitmapSizeBytes(sizeBytes));
      file.read(mapped.bitmapOffset, bitmap);
      return { name, sizeBytes, places: new MappedPages(bitmap, mapped.pagesOffset, pageCount) };
    });
  }

  #decodeBlocks(reader: StreamReader): number {
    const offset = reader.offset;
    const word = reader.u64();
    const flags = word % (ramFlagsMask + 1);
    if (flags !== ramFlags.memorySize) {
      throw reader.damaged(
        offset,
        'the list of RAM blocks',
        `a record with flags 0x${flags.toString(16)}`,
      );
    }
    const totalBytes = word - flags;
    if (totalBytes > maxRamBytes + maxOtherBytes) {
      throw reader.unsupported(
        `it states ${totalBytes} bytes of RAM, at most ${maxRamBytes} can be stored`,
      );
    }
    let leftBytes = totalBytes;
    while (leftBytes > 0) {
      const block = this.#decodeBlock(reader, leftBytes);
      leftBytes -= block.sizeBytes;
      this.#blocks.set(block.name, block);
    }
    return totalBytes;
  }

  #decodeBlock(reader: StreamReader, leftBytes: number): ListedBlock {
    const offset = reader.offset;
    const name = reader.name();
    const sizeBytes = reader.u64();
    if (sizeBytes === 0 || sizeBytes % pageSizeBytes !== 0 || sizeBytes > leftBytes) {
      throw reader.damaged(
        offset,
        `a block of whole pages, of ${leftBytes} bytes at most`,
        `${sizeBytes} bytes for ${JSON.stringify(name)}`,
      );
    }
    if (sizeBytes > maxRamBytes) {
      throw reader.unsupported(
        `${name} has ${sizeBytes} bytes, at most ${maxRamBytes} can be stored`,
      );
    }
    if (this.#blocks.has(name) || this.#blocks.size === maxBlockCount) {
      throw reader.damaged(
        offset,
        `up to ${maxBlockCount} blocks, each with a name of its own`,
        `another ${JSON.stringify(name)}`,
      );
    }
    if (this.isRamElsewhere) {
      reader.u64(); // Where the machine has the block.
    }
    const mapped = this.isMapped ? this.#decodeMappedHeader(reader, sizeBytes) : undefined;
    return { name, sizeBytes, sent: new SentPages(), mapped };
  }

  #decodeMappedHeader(reader: StreamReader, sizeBytes: number): ListedBlock['mapped'] {
    const offset = reader.offset;
    const version = reader.u32();
    const pageSize = reader.u64();
    const bitmapOffset = reader.u64();
    const pagesOffset = reader.u64();
    if (version !== mappedRamVersion || pageSize !== pageSizeBytes) {
      throw reader.unsupported(
        `expected mapped-ram version ${mappedRamVersion} with pages of ${pageSizeBytes} bytes, ` +
          `found version ${version} with ${pageSize} at offset ${offset}`,
      );
    }
    if (
      bitmapOffset < offset + mappedRamHeaderSizeBytes ||
      pagesOffset < bitmapOffset + bitmapSizeBytes(sizeBytes)
    ) {
      throw reader.damaged(
        offset,
        'the bitmap behind the header, the pages behind the bitmap',
        `the bitmap at ${bitmapOffset}, the pages at ${pagesOffset}`,
      );
    }
    // The list goes on behind the pages, so a file that ends before shows there.
    reader.seek(pagesOffset + sizeBytes);
    return { bitmapOffset, pagesOffset };
  }

  #named(reader: StreamReader): ListedBlock {
    const offset = reader.offset;
    const name = reader.name();
    const block = this.#blocks.get(name);
    if (block === undefined) {
      throw reader.damaged(offset, 'the name of a listed block', JSON.stringify(name));
    }
    return block;
  }
}

function bitmapSizeBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / pageSizeBytes / 8 / bitmapWordBytes) * bitmapWordBytes;
}

function refused(reader: StreamReader, flags: number, offset: number): Error {
  const take = (capability: string): string =>
    `; take the snapshot again with the capability ${capability} off`;
  const reasons: readonly (readonly [number, string])[] = [
    [ramFlags.xbzrle, `pages are stored as differences${take('xbzrle')}`],
    [ramFlags.compressed, `pages are compressed${take('compress')}`],
    [ramFlags.hook, `pages were sent by RDMA, so they are not in it${take('rdma-pin-all')}`],
    [ramFlags.multifdFlush, `pages went through other channels${take('multifd')}`],
  ];
  const reason = reasons.find(([flag]) => (flags & flag) !== 0);
  return reason === undefined
    ? reader.damaged(offset, 'a record of a page', `flags 0x${flags.toString(16)}`)
    : reader.unsupported(`at offset ${offset} of the stream ${reason[1]}`);
}
