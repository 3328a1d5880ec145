// What a pack holds, apart from its bytes (layout.ts).
//
// An address space is cut into aligned windows of 64 pages. A frame holds those pages of one window that are stored
// with one replication: a 64-bit mask names them, so a page's place in the frame is the rank of its bit (mask.ts).

export const windowPageCount = 64;

/** Columns of equal length: for each frame the pages it should hold. */
export interface FrameRequests {
  /** Window index: page index / 64. */
  readonly window: Uint32Array;
  /** Bit i set: page window * 64 + i belongs to the frame. Pages 0..31 low, 32..63 high. Never both zero. */
  readonly maskLow: Uint32Array;
  readonly maskHigh: Uint32Array;
}

/** A pack before it is written: what goes in, and how often it is kept. */
export interface PackRequest {
  readonly replication: number;
  readonly frames: FrameRequests;
}

export const codecs = { raw: 0, lz4: 1 } as const;
export type Codec = keyof typeof codecs;

/** Columns of equal length: for each frame written, what the manifest must know to find and check it. */
export interface FrameColumns {
  readonly window: Uint32Array;
  /** All-zero pages have been taken out of the mask. */
  readonly maskLow: Uint32Array;
  readonly maskHigh: Uint32Array;
  /** Where the frame begins in its pack, in bytes. */
  readonly offset: Uint32Array;
  /** Length in the pack with its header, in bytes. */
  readonly length: Uint32Array;
}

/** What a pack file says about itself in its first bytes. */
export interface PackHeader {
  /** As asked for when the pack was written; the store may have been told otherwise since. */
  readonly replication: number;
  /** Index of the address space in the manifest. */
  readonly space: number;
}

/** Pages to encode: those named by `frames`, 4096 bytes each, in the order of the frames and of the bits in their masks. */
export interface PageBatch {
  readonly space: number;
  readonly frames: FrameRequests;
  readonly bytes: Uint8Array;
}

/** The same, with the pages still in an image: byte n of the image is byte n behind `fd`. */
export interface FileBatch {
  readonly space: number;
  readonly frames: FrameRequests;
  readonly fd: number;
}

/** Frames back to back. Here `offset` counts from the batch's first byte: add the batch's place in the pack. */
export interface FrameBatch {
  readonly frames: FrameColumns;
  readonly bytes: Uint8Array;
}

/** A piece of a pack read back, and the frames of it that are wanted; bytes between frames are not looked at. */
export interface StoredFrames {
  /** The pack's name, for messages. */
  readonly pack: string;
  readonly space: number;
  /** Where `bytes` begins in the pack; `frames.offset` counts from the pack's first byte. */
  readonly startBytes: number;
  readonly frames: FrameColumns;
  readonly bytes: Uint8Array;
}
