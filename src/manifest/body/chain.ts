// How long a base's chain of deltas may become, so that no snapshot takes much longer to open than its base would. Pure.
import { maxBodyCount } from '../layout.js';
import type { HashedFile } from '../types.js';

/** All deltas together may have this share of their base's bytes, or `leastDeltaBytes` where that is more. */
const deltaShare = 1 / 4;
/** All deltas together may have so many bytes, however small their base is. */
const leastDeltaBytes = 2 ** 16;

type Sized = Pick<HashedFile, 'sizeBytes'>;

/** Whether a delta of so many bytes may follow these bodies, a base and its deltas; else the next body is a base. */
export function mayFollow([base, ...deltas]: readonly Sized[], sizeBytes: number): boolean {
  const bytes = deltas.reduce((sum, delta) => sum + delta.sizeBytes, sizeBytes);
  return (
    deltas.length + 2 <= maxBodyCount &&
    bytes <= Math.max(base.sizeBytes * deltaShare, leastDeltaBytes)
  );
}
