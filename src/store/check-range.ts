// The range that a read asks for, against the file's size.

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
