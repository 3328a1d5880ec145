// The memory that a read puts its answer into.

import { ParsError } from '../../introspect/pars-error.js';

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
