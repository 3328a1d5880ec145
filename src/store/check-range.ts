// What a read asks for: the range, against the file's size, and the memory that the answer is put into.

import { ParsError } from '../../introspect/pars-error.js';

/** Throws `usage` for what is no range, and `corrupt` for one that goes past the end of the file. */
export function checkRange(
  name: string,
  offsetBytes: number,
  sizeBytes: number,
  fileSizeBytes: number,
): void {
  for (const value of [offsetBytes, sizeBytes]) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ParsError(
        'usage',
        `${name}: expected an offset and a size in bytes, found ${value}`,
      );
    }
  }
  if (offsetBytes + sizeBytes > fileSizeBytes) {
    throw new ParsError(
      'corrupt',
      `${name}: expected ${sizeBytes} bytes from offset ${offsetBytes}, but the file has ${fileSizeBytes}`,
    );
  }
}

/**
 * `sizeBytes` bytes: the first of `into`, or new ones where that is not given. What they hold is left to chance, so all of
 * them are to be filled. Throws `usage` where `into` is smaller.
 */
export function answerMemory(
  name: string,
  sizeBytes: number,
  into: Uint8Array | undefined,
): Uint8Array {
  checkAnswerMemory(name, sizeBytes, into);
  return into === undefined ? Buffer.allocUnsafeSlow(sizeBytes) : into.subarray(0, sizeBytes);
}

/** Throws `usage` where `into` is given and smaller than the answer. */
export function checkAnswerMemory(
  name: string,
  sizeBytes: number,
  into: Uint8Array | undefined,
): void {
  if (into !== undefined && into.length < sizeBytes) {
    throw new ParsError(
      'usage',
      `${name}: expected memory for the ${sizeBytes} bytes that are asked for, found ${into.length} bytes`,
    );
  }
}
