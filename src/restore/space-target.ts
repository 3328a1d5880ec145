// A space of a snapshot, and the file that a restore writes its pages to.
import type { AddressSpace } from '../manifest/types.js';

export interface SpaceTarget<S extends AddressSpace = AddressSpace> {
  readonly space: S;
  readonly path: string;
  /** What the file is to have in the end; pages beyond are cut off. */
  readonly sizeBytes: number;
  /** What it does meanwhile, for progress. */
  readonly phase: string;
}
