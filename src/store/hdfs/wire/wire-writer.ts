// Writing protocol buffers into memory that grows as it fills. Requests are small: a path, a few nodes.

import type { WireType } from './wire-reader.js';

const firstSizeBytes = 256;

export class WireWriter {
  #bytes = Buffer.allocUnsafe(firstSizeBytes);
  #sizeBytes = 0;

  /** What was written; not to be written to afterwards. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#sizeBytes);
  }

  tag(fieldNumber: number, wireType: WireType): void {
    this.varint(fieldNumber * 8 + wireType);
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#byte((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }

  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }

  fixed32(value: number): void {
    const at = this.#take(4);
    this.#bytes.writeInt32LE(value, at);
  }

  fixed64(value: number): void {
    const at = this.#take(8);
    this.#bytes.writeBigInt64LE(BigInt(value), at);
  }

  /** With its length before it. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
  }

  #byte(value: number): void {
    const at = this.#take(1);
    this.#bytes[at] = value;
  }

  #take(sizeBytes: number): number {
    const at = this.#sizeBytes;
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#sizeBytes));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}
