// An image of random bytes: not Linux, so it is stored all the same, every page as critical.

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

export function makeRandomImage(path: string, sizeMib: number): void {
  const fd = openSync(path, 'wx');
  try {
    for (let mib = 0; mib < sizeMib; mib++) {
      writeSync(fd, randomBytes(2 ** 20));
    }
  } finally {
    closeSync(fd);
  }
}
