// What a pack holds, apart from its bytes (layout.ts).
//
// A frame is up to 64 pages that are stored together, and says nothing of where they belong: that is the manifest's matter.
// An address space is cut into aligned windows of 64 pages, so that a 64-bit mask names some pages of one.
export const windowPageCount = 64;

/** The versions of the format that are read. */
export const packVersions = [1, 2] as const;
export type PackVersion = (typeof packVersions)[number];

/** Columns of equal length: for each frame the pages it should hold, all of one window. */
export interface FrameRequests {
  /** Window index: page index / 64. */
  readonly window: Uint32Array;
  /** Bit i set: page window * 64 + i belongs to the frame. Pages 0..31 low, 32..63 high. Never both zero. */
  readonly maskLow: Uint32Array;
  readonly maskHigh: Uint32Array;
}

/** A pack before it is written: what goes in, and how often it is kept. */
export interface PackRequest {
  /** The number in the plan's column: copies, or a code. */
  readonly replication: number;
  readonly frames: FrameRequests;
}

/** Columns of equal length: for each frame written, what must be known to find and check it. */
export interface FrameColumns {
  /** Where the frame begins in its pack, in bytes. */
  readonly offset: Uint32Array;
  /** Length in the pack with its header, in bytes. */
  readonly length: Uint32Array;
  /** What tells it from any other frame (frame-identity.ts). */
  readonly identity: Uint32Array;
  /** 1..64. */
  readonly pageCount: Uint8Array;
}

/**
 * Columns of equal length: pages of a window, and where they are stored. The pages that a mask names are consecutive pages of
 * one frame, in the order of their bits.
 */
export interface PlaceColumns extends FrameRequests {
  /** Index of the frame. */
  readonly frame: Uint32Array;
  /** Where the first page stands among the frame's pages. */
  readonly slot: Uint8Array;
}

/** What a pack file says about itself in its first bytes. */
export interface PackHeader {
  /** The version of the pack and of its frames. */
  readonly version: PackVersion;
}

/** Pages to encode: those named by `frames`, 4096 bytes each, in the order of the frames and of the bits in their masks. */
export interface PageBatch {
  readonly frames: FrameRequests;
  readonly bytes: Uint8Array;
}

/** Pages to encode that are still in an image: byte n of the image is byte n behind `fd`. */
export interface FileBatch {
  readonly frames: FrameRequests;
  readonly fd: number;
}

/** What the frames of a batch cost, by which `auto` chooses for the next (codec/auto-codec.ts). */
export interface PackingCost {
  /** Bytes of payloads. */
  readonly storedBytes: number;
  /** What the payloads would take if each were by LZ4 or raw; 0 where LZ4 was not tried. */
  readonly lz4Bytes: number;
  /** Time of one thread, reading the pages included. */
  readonly seconds: number;
  /** The part of `seconds` that zstd took. */
  readonly zstdSeconds: number;
}

/** Frames back to back, in memory that the caller gave. Here `offset` counts from the batch's first byte: add the batch's place in the pack. */
export interface FrameBatch {
  readonly frames: FrameColumns;
  /** What each frame holds: as requested, without pages of zeroes and without frames of nothing else. */
  readonly held: FrameRequests;
  /** Hashes of the pages in the frames, in the order of the pages, 16 bytes each (page-hash.ts). */
  readonly hashes: Uint8Array;
  readonly bytes: Uint8Array;
  /** What it was to make them. */
  readonly packing: PackingCost;
}

/** A piece of a pack read back, and the frames of it that are wanted; bytes between frames are not looked at. */
export interface StoredFrames {
  /** The pack's name, for messages. */
  readonly pack: string;
  /** As the pack's header says. */
  readonly version: PackVersion;
  /** Where `bytes` begins in the pack; `frames.offset` counts from the pack's first byte. */
  readonly startBytes: number;
  readonly frames: FrameColumns;
  readonly bytes: Uint8Array;
}
