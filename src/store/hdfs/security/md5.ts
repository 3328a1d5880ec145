// MD5 of several pieces put together.

import { createHash } from 'node:crypto';

export function md5(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) {
    hash.update(part);
  }
  return hash.digest();
}
