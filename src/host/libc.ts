// Calls of Linux that Node has none of its own for. They need koffi, an optional package: who asks for one can do without.
import { createRequire } from 'node:module';

/** What of koffi is used; its own types come with the package, which need not be there. */
export interface Libc {
  /** `prototype`: as in C. The function returns what C's does. */
  func(prototype: string): (...values: readonly unknown[]) => number;
}

interface Koffi {
  load(path: string): Libc;
}

/** Undefined without koffi, or with another C library than glibc. */
export function openLibc(): Libc | undefined {
  try {
    return (createRequire(import.meta.url)('koffi') as Koffi).load('libc.so.6');
  } catch {
    return undefined;
  }
}
