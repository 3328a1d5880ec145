// What a codec is to a frame: a number in the frame's header, and the way from pages to the payload that is stored and back.
// A codec is a file of this folder and a line of codecs.ts.

export interface FrameCodec {
  /** What stands in the header of its frames, 0 to 255; never given to another codec. */
  readonly number: number;

  /** What a payload is, as in `its LZ4 block does not unpack`. */
  readonly payload: string;

  /** Whether a payload is always as long as its pages; else it is always shorter. */
  readonly keepsSize: boolean;

  /**
   * Writes the payload of `pages` to the beginning of `into`, which is as long as `pages`. Returns its length in bytes, undefined
   * where it would not be shorter. The same pages always give the same payload. Quickest for pages in `pageWindow`.
   */
  readonly pack: (pages: Uint8Array, into: Uint8Array) => number | undefined;

  /**
   * Fills all of `into` from a payload. Throws when another number of bytes comes out, or what its library throws. Quickest into
   * `pageWindow`.
   */
  readonly unpack: (payload: Uint8Array, into: Uint8Array) => void;
}
