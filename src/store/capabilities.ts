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

  /** `write` takes an erasure code as well, if the cluster has it enabled. Elsewhere it refuses such a redundancy. */
  readonly writeErasureCoded?: true;

  /** `write` has content that can be made in a thread sent from there (threads/content.ts). */
  readonly sendFromThreads?: true;

  /** What decides which redundancy the cluster can give. */
  readonly describeCluster?: (options?: ReadOptions) => Promise<ClusterShape>;
}

export interface ClusterShape {
  /** DataNodes that are alive and take new blocks. Undefined where the store does not say. */
  readonly liveNodeCount: number | undefined;
  /** Racks that those nodes are in. Undefined likewise. */
  readonly rackCount: number | undefined;
  /** Names of the erasure coding policies that are enabled: RS-6-3-1024k. Undefined likewise. */
  readonly enabledCodes: readonly string[] | undefined;
}

export type RaiseRedundancy = (
  name: string,
  redundancy: Redundancy,
  options?: ReadOptions,
) => Promise<void>;
