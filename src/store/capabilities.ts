// What some stores can do and others cannot. A capability that is not there is undefined, so the compiler makes each caller
// say what it does without it:
//
//   const raise = store.can.raiseRedundancy;
//   if (raise === undefined) write it again; else await raise(name, copies(3));
//
// `never` names what no store can do yet. It gets a type, and its contract, together with the first store that can.

import type { ReadOptions } from './read-options.js';
import type { Redundancy } from './redundancy.js';

export interface StoreCapabilities {
  /**
   * From now on the file is to have this redundancy, which `storedBytes` counts at once; the copies are made later where
   * `copiesComeLater` says so, and have been made when it returns elsewhere, as far as there are nodes for them. A file that is
   * to have as many copies already, or more, stays as it is. Of two callers at once the one with fewer copies may win.
   * `not-found` when there is no such file, `unsupported` for a redundancy that the store cannot give it.
   */
  readonly raiseRedundancy?: RaiseRedundancy;

  /** Bytes at the end of a file that is there, durable on every copy when it returns. */
  readonly appendWithSync?: never;

  /** A file in units of an erasure code: `write` refuses such a redundancy. Files that HDFS coded itself can be read. */
  readonly writeErasureCoded?: never;
}

export type RaiseRedundancy = (
  name: string,
  redundancy: Redundancy,
  options?: ReadOptions,
) => Promise<void>;
