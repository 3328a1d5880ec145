// Positioned reads that are whole or fail: the system may return less than was asked for.
import { readSync } from 'node:fs';
import { ParsError } from '../pars-error.js';

/**
 * Fills `target` from `offset` of the open file. `name` is for messages. Throws `image-invalid` when the file ends before
 * or cannot be read.
 */
export function readFully(fd: number, offset: number, target: Uint8Array, name: string): void {
  let done = 0;
  while (done < target.length) {
    const count = readSome(fd, offset + done, target.subarray(done), name);
    if (count === 0) {
      throw new ParsError(
        'image-invalid',
        `${name} ended at ${offset + done} while ${target.length} bytes were read from ${offset}: was it truncated meanwhile?`,
      );
    }
    done += count;
  }
}

function readSome(fd: number, offset: number, target: Uint8Array, name: string): number {
  try {
    return readSync(fd, target, 0, target.length, offset);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ParsError('image-invalid', `cannot read ${name} at ${offset}: ${reason}`, {
      cause: error,
    });
  }
}
