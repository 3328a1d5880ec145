// Reading protocol buffers from bytes of a peer: every length is held against what is left before it is believed.
// The format: https://protobuf.dev/programming-guides/encoding/

import { ParsError } from '../../../../introspect/pars-error.js';

/** The length of a varint of 64 bits, seven to a byte. */
export const maxVarintBytes = 10;

/** How a field's bytes are bounded. Groups, wire types 3 and 4, are in no message of Hadoop's. */
export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;
export type WireType = (typeof wireTypes)[keyof typeof wireTypes];

/** Throws `unsupported`, and says where, for whatever is no message. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #endBytes: number;
  #atBytes: number;
  /** What is read, and from whom: opens each message. */
  readonly where: string;

  constructor(bytes: Buffer, where: string, fromBytes = 0, endBytes: number = bytes.length) {
    this.#bytes = bytes;
    this.where = where;
    this.#atBytes = fromBytes;
    this.#endBytes = endBytes;
  }

  get isAtEnd(): boolean {
    return this.#atBytes === this.#endBytes;
  }

  /** The tag before a field: its number and how its bytes are bounded. */
  tag(): { readonly number: number; readonly wireType: number } {
    const tag = this.varint();
    const number = Math.floor(tag / 8);
    if (number === 0 || number >= 2 ** 29) {
      throw this.refusal(`a field number from 1 to 2^29 - 1, found ${number}`);
    }
    return { number, wireType: tag % 8 };
  }

  /** A varint as a number. One over 2^53 - 1 is refused: no length, time or count of Hadoop's is. */
  varint(): number {
    const startBytes = this.#atBytes;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < maxVarintBytes; count++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if (Number.isSafeInteger(value)) {
          return value;
        }
        this.#atBytes = startBytes;
        throw this.refusal('a number below 2^53, found a larger one');
      }
    }
    throw this.refusal(`a varint of at most ${maxVarintBytes} bytes, found a longer one`);
  }

  /** A varint of all 64 bits, without a sign. */
  varint64(): bigint {
    let value = 0n;
    for (let count = 0; count < maxVarintBytes; count++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) {
        return BigInt.asUintN(64, value);
      }
    }
    throw this.refusal(`a varint of at most ${maxVarintBytes} bytes, found a longer one`);
  }

  fixed32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  fixed64(): number {
    const value = Number(this.#bytes.readBigInt64LE(this.#take(8)));
    if (Number.isSafeInteger(value)) {
      return value;
    }
    throw this.refusal('a number below 2^53, found a larger one');
  }

  text(): string {
    const sizeBytes = this.varint();
    const at = this.#take(sizeBytes);
    return this.#bytes.toString('utf8', at, at + sizeBytes);
  }

  /** A copy, so that a few bytes do not keep a large answer in memory. */
  bytes(): Buffer {
    const sizeBytes = this.varint();
    const at = this.#take(sizeBytes);
    return Buffer.from(this.#bytes.subarray(at, at + sizeBytes));
  }

  /** A reader of what the length before it bounds. */
  nested(): WireReader {
    const sizeBytes = this.varint();
    const at = this.#take(sizeBytes);
    return new WireReader(this.#bytes, this.where, at, at + sizeBytes);
  }

  /** Passes over a field that is not known here. */
  skip(wireType: number): void {
    switch (wireType) {
      case wireTypes.varint:
        this.varint64();
        return;
      case wireTypes.fixed64:
        this.#take(8);
        return;
      case wireTypes.lengthDelimited:
        this.#take(this.varint());
        return;
      case wireTypes.fixed32:
        this.#take(4);
        return;
      default:
        throw this.refusal(`a wire type of 0, 1, 2 or 5, found ${wireType}`);
    }
  }

  /** The error for what should be here and is not. */
  refusal(expected: string): ParsError {
    return new ParsError(
      'unsupported',
      `${this.where}: no message of Hadoop's: at byte ${this.#atBytes} expected ${expected}`,
    );
  }

  #byte(): number {
    return this.#bytes[this.#take(1)];
  }

  /** Where the next `sizeBytes` bytes begin; they are passed. */
  #take(sizeBytes: number): number {
    const at = this.#atBytes;
    if (sizeBytes > this.#endBytes - at) {
      throw this.refusal(`${sizeBytes} bytes more, found ${this.#endBytes - at}`);
    }
    this.#atBytes = at + sizeBytes;
    return at;
  }
}
