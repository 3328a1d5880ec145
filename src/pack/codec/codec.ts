// What a codec is to a frame: a number in the frame's header, and the way from pages to the payload that is stored and back.
// A codec is a file of this folder and a line of codecs.ts.

export interface FrameCodec {
  /** What stands in the header of its frames, 0 to 255; never given to another codec. */
  readonly number: number;

  /** What a payload is, as in `its LZ4 block does not unpack`. */
  readonly payload: string;

  /** Whether a payload is always as long as its pages; else it is always shorter. */
  readonly keepsSize: boolean;

  /** The payload for some pages, which it may be a view of; undefined where it would be of no use. */
  readonly pack: (pages: Buffer) => Buffer | undefined;

  /**
   * The pages of a payload, a view of `bytes` or memory of their own; how many came out, the caller checks. The payload goes from
   * `payloadAt` to the end of `bytes`, and its length unpacked, which was checked against its limit, stands right before it as a
   * little-endian u32. Throws what its library throws.
   */
  readonly unpack: (bytes: Uint8Array, payloadAt: number) => Uint8Array;
}
