// Reads a file from front to back in large pieces, a few bytes at a time, and knows where it is.
import { readSync } from 'node:fs';
import { ParsError } from '../../pars-error.js';
import type { ImageFile } from '../image-file.js';

const bufferSizeBytes = 2 ** 20;
/** High half of the first number that a double cannot hold exactly; no size and no offset is that large. */
const highestWord = 2 ** 21;

export class StreamReader {
  readonly #file: ImageFile;
  readonly #buffer = Buffer.allocUnsafe(bufferSizeBytes);
  /** Where the buffer's first byte lies in the file. */
  #bufferOffset: number;
  #length = 0;
  #at = 0;

  constructor(file: ImageFile, startOffset: number) {
    this.#file = file;
    this.#bufferOffset = startOffset;
  }

  get offset(): number {
    return this.#bufferOffset + this.#at;
  }

  seek(offset: number): void {
    const at = offset - this.#bufferOffset;
    if (at >= 0 && at <= this.#length) {
      this.#at = at;
    } else {
      this.#bufferOffset = offset;
      this.#length = 0;
      this.#at = 0;
    }
  }

  skip(sizeBytes: number): void {
    this.seek(this.offset + sizeBytes);
  }

  u8(): number {
    this.#need(1);
    return this.#buffer[this.#at++];
  }

  u16(): number {
    this.#need(2);
    const value = this.#buffer.readUInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  u32(): number {
    this.#need(4);
    const value = this.#buffer.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  u64(): number {
    const high = this.u32();
    const low = this.u32();
    if (high >= highestWord) {
      throw this.damaged(
        this.offset - 8,
        'a size or an offset below 2^53',
        `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`,
      );
    }
    return high * 2 ** 32 + low;
  }

  /** With its length in one byte before it. */
  name(): string {
    return this.text(this.u8());
  }

  /** `sizeBytes` at most 255, as names have. */
  text(sizeBytes: number): string {
    this.#need(sizeBytes);
    const text = this.#buffer.toString('latin1', this.#at, this.#at + sizeBytes);
    this.#at += sizeBytes;
    return text;
  }

  damaged(offset: number, expected: string, found: string): ParsError {
    return new ParsError(
      'image-invalid',
      `${this.#file.path}: expected ${expected} at offset ${offset} of the migration stream's file, found ${found}; ` +
        'the file is damaged, take the snapshot again',
    );
  }

  unsupported(problem: string): ParsError {
    return new ParsError('unsupported', `${this.#file.path}: ${problem}`);
  }

  #need(sizeBytes: number): void {
    if (this.#length - this.#at >= sizeBytes) {
      return;
    }
    this.#buffer.copyWithin(0, this.#at, this.#length);
    this.#bufferOffset += this.#at;
    this.#length -= this.#at;
    this.#at = 0;
    while (this.#length < sizeBytes) {
      const end = this.#bufferOffset + this.#length;
      const room = bufferSizeBytes - this.#length;
      const count = readSync(this.#file.fd, this.#buffer, this.#length, room, end);
      if (count === 0) {
        throw this.damaged(
          end,
          `${sizeBytes} more bytes, before RAM is complete`,
          "the file's end",
        );
      }
      this.#length += count;
    }
  }
}
