// Answers of Hadoop RPC as they stand on the wire, each with its length in four bytes before it, out of pieces of any size.

/** A page of 1000 entries is 200 KB; the block locations of a file of 10 000 blocks are 5 MB. */
export const maxFrameBytes = 32 * 1024 * 1024;

const lengthBytes = 4;

/** Thrown for a length that no answer has. */
export class FrameTooLong extends Error {
  constructor(readonly start: Buffer) {
    super(`an answer of ${start.readUInt32BE(0)} bytes; at most ${maxFrameBytes} are possible`);
  }
}

export class Frames {
  #pieces: Buffer[] = [];
  #sizeBytes = 0;
  #neededBytes = lengthBytes;

  /** The answers that are whole with this piece. */
  push(piece: Buffer): readonly Buffer[] {
    this.#pieces.push(piece);
    this.#sizeBytes += piece.length;
    const whole: Buffer[] = [];
    while (this.#sizeBytes >= this.#neededBytes) {
      const bytes = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
      const endBytes = lengthBytes + bytes.readUInt32BE(0);
      if (endBytes > lengthBytes + maxFrameBytes) {
        throw new FrameTooLong(bytes);
      }
      const isWhole = bytes.length >= endBytes;
      if (isWhole) {
        whole.push(bytes.subarray(lengthBytes, endBytes));
      }
      const rest = isWhole ? bytes.subarray(endBytes) : bytes;
      this.#pieces = [rest];
      this.#sizeBytes = rest.length;
      this.#neededBytes = isWhole ? lengthBytes : endBytes;
    }
    return whole;
  }
}
