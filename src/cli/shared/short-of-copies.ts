// A file that is there with fewer copies than it should have, or units of an erasure code, as a sentence.
import type { UnderReplicated } from '../../store/block-state.js';

export function shortOfCopies({ name, found, wanted, neededUnitCount }: UnderReplicated): string {
  return neededUnitCount === undefined
    ? `${name} has ${found} of ${wanted} copies`
    : `${name} has ${found} of ${wanted} units of its erasure code, and needs ${neededUnitCount}`;
}
