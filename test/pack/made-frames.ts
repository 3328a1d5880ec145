// Frames made and read back where a test stands, in memory made for it.
import type { FrameMethod } from '../../src/pack/codec/codec-choice.js';
import { decodeStoredFrames } from '../../src/pack/decode.js';
import { encodeFrames, framesRoomBytes } from '../../src/pack/encode.js';
import type { FrameBatch, PageBatch, StoredFrames } from '../../src/pack/types.js';

/** The frames of a batch, in memory as long as they may get. */
export function framesOf(
  { frames, bytes }: PageBatch,
  methods: readonly FrameMethod[] = ['lz4'],
): FrameBatch {
  let at = 0;
  return encodeFrames(
    frames,
    new Uint8Array(framesRoomBytes(frames)),
    (_, pages) => {
      pages.set(bytes.subarray(at, at + pages.length));
      at += pages.length;
    },
    methods,
  );
}

/** The pages of all wanted frames, one after the other. */
export function pagesIn(stored: StoredFrames): Uint8Array {
  return new Uint8Array(
    Buffer.concat(Array.from(decodeStoredFrames(stored), ({ pages }) => new Uint8Array(pages))),
  );
}
