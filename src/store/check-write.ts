// What a write asks for, checked before anything is sent or opened, and alike for every store that keeps whole copies.

import { ParsError } from '../../introspect/pars-error.js';
import { type Redundancy, redundancyInWords, type ReedSolomon } from './redundancy.js';
import type { WriteOptions } from './store.js';

/** What a store of whole copies needs to know of WriteOptions. */
export interface CopiesToWrite {
  readonly copyCount: number;
  readonly blockSizeBytes: number;
  readonly nameTells: 'whole' | 'nothing';
  readonly signal: AbortSignal | undefined;
}

/** What a store of whole copies and of coded files needs to know of them. */
export interface FileToWrite extends CopiesToWrite {
  /** Undefined for a file of whole copies. */
  readonly code: ReedSolomon | undefined;
}

/** For a store that takes codes too. Throws `usage` for what no store can write. */
export function fileToWrite(name: string, options: WriteOptions): FileToWrite {
  const { redundancy } = options;
  if (redundancy.kind === 'copies') {
    return { ...copiesToWrite(name, options), code: undefined };
  }
  // Of a coded file HDFS makes one, of as many units as the code has.
  return {
    ...copiesToWrite(name, { ...options, redundancy: { kind: 'copies', count: 1 } }),
    code: redundancy,
  };
}

/** Throws `usage` for what no store can write, and as `copyCountOf`. */
export function copiesToWrite(
  name: string,
  { redundancy, blockSizeBytes, nameTells = 'whole', signal }: WriteOptions,
): CopiesToWrite {
  const copyCount = copyCountOf(name, redundancy);
  if (!Number.isSafeInteger(blockSizeBytes) || blockSizeBytes <= 0 || blockSizeBytes % 512 !== 0) {
    throw new ParsError(
      'usage',
      `${name}: expected a block size that is a multiple of 512 bytes, found ${blockSizeBytes}`,
    );
  }
  return { copyCount, blockSizeBytes, nameTells, signal };
}

/** Throws `unsupported` for a code, and `usage` for copies that are none. */
export function copyCountOf(name: string, redundancy: Redundancy): number {
  if (redundancy.kind !== 'copies') {
    throw new ParsError(
      'unsupported',
      `${name}: expected a number of copies, found ${redundancyInWords(redundancy)}; this store writes whole copies only`,
    );
  }
  const { count } = redundancy;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new ParsError('usage', `${name}: expected 1 copy or more, found ${count}`);
  }
  return count;
}
