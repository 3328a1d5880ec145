// Where each field of a pack and of a frame lies, and the limits a reader holds them to. FORMAT.md says the same in
// words. All numbers are little-endian.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { type PackVersion, windowPageCount } from './types.js';

/** The version that is written. */
export const packVersion = 2;

/** First bytes of a pack: `PARSPACK`. */
export const packMagic = Uint8Array.from('PARSPACK', (letter) => letter.charCodeAt(0));

export const packHeaderSizeBytes = 32;
export const packField = {
  magic: 0,
  version: 8, // u16
  reserved: 10, // 18 bytes, zero. Version 1 has replication (u8) and space (u8) here first
  crc: 28, // u32, CRC32C of bytes 0..27
} as const;

/** First bytes of a frame: `PFRM`, read as a little-endian u32. */
export const frameMagic = 0x4d524650;

/** Where the fields of a frame's header lie, and its length. Magic and CRC stand first in each version. */
export interface FrameLayout {
  readonly headerSizeBytes: number;
  readonly codec: number;
  /** 0 = none. */
  readonly encryption: number;
  /** Zero. */
  readonly reserved: number;
  readonly reservedEnd: number;
  /** u32, bytes of payload. */
  readonly storedSize: number;
  /**
   * u32, pages * 4096. It stands right before the payload, which is a plain LZ4 block: libraries that want a little-endian length
   * before a block are given both where they lie.
   */
  readonly rawSize: number;
}

export const frameField = {
  magic: 0, // u32
  crc: 4, // u32, CRC32C of everything after it, payload included
  covered: 8, // the first byte that the CRC covers
} as const;

export const frameLayouts: Readonly<Record<PackVersion, FrameLayout>> = {
  1: {
    headerSizeBytes: 32,
    codec: 12,
    encryption: 13,
    reserved: 15,
    reservedEnd: 16,
    storedSize: 24,
    rawSize: 28,
  },
  2: {
    headerSizeBytes: 20,
    codec: 8,
    encryption: 9,
    reserved: 10,
    reservedEnd: 12,
    storedSize: 12,
    rawSize: 16,
  },
};

/** Where the pages of a version 1 frame belong: version 2 leaves that to the manifest. */
export const frameV1Field = {
  window: 8, // u32
  space: 14, // u8
  maskLow: 16, // u32
  maskHigh: 20, // u32
} as const;

/** The length of a header as it is written. */
export const frameHeaderSizeBytes = frameLayouts[packVersion].headerSizeBytes;
/** Pages of a frame. */
export const maxFramePageCount = 64;

export const windowSizeBytes = windowPageCount * pageSizeBytes;
/** A frame that holds a whole window and did not shrink. */
export const maxFrameSizeBytes = frameHeaderSizeBytes + windowSizeBytes;

/**
 * A pack is one file of at most one HDFS block, because a block is the unit of loss: a frame that straddled two blocks
 * would be lost with either. Larger blocks mean fewer objects in the NameNode's memory (about 150 bytes each for the
 * file and its block); smaller ones lose less of an image with one disk and spread better. 64 MiB is half of HDFS's
 * own default: 256 GiB of RAM make some 4000 files, and one lost block costs at most 64 MiB of packed pages.
 */
export const defaultBlockSizeBytes = 64 * 2 ** 20;

/** A reader takes no pack larger than this; offsets within a pack are u32. */
export const maxPackSizeBytes = 2 ** 30;

/** HDFS itself allows 512 (dfs.replication.max); more than 10 copies of guest RAM is a slip of the keyboard. */
export const maxReplication = 10;

/** Bytes of frames that fit into a block beside the pack's own header. */
export function packContentBytes(blockSizeBytes: number): number {
  return blockSizeBytes - packHeaderSizeBytes;
}
