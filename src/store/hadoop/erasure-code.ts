// What an erasure coding policy means for one block of a file: HDFS stripes it over data units in cells, and adds parity
// units. A block that ends within the first cells has no more data units than cells.

import type { BlockCoding } from '../store.js';

/** ErasureCodingPolicy.composePolicyName: codec, data units, parity units, cell size in KiB. `RS-LEGACY` is a codec. */
const policyPattern = /^.+-(\d{1,3})-(\d{1,3})-(\d{1,9})k$/;

/** What HDFS says of a file. */
export interface FileCoding {
  /** Whether its blocks are coded. */
  readonly ecBit?: boolean | undefined;
  /** The name of the policy: RS-6-3-1024k. */
  readonly ecPolicy?: string | undefined;
}

/** Undefined for a file of whole copies, `unknown` when it is coded by a policy that is not named, or not so. */
export function codingOf(
  { ecBit, ecPolicy }: FileCoding,
  blockSizeBytes: number,
): BlockCoding | 'unknown' | undefined {
  if (ecBit !== true && ecPolicy === undefined) {
    return undefined;
  }
  const match = policyPattern.exec(ecPolicy ?? '');
  if (match === null) {
    return 'unknown';
  }
  const [dataUnitCount, parityUnitCount, cellSizeKib] = match.slice(1).map(Number);
  if (dataUnitCount === 0 || cellSizeKib === 0) {
    return 'unknown';
  }
  const cellCount = Math.max(1, Math.ceil(blockSizeBytes / (cellSizeKib * 1024)));
  return { dataUnitCount: Math.min(dataUnitCount, cellCount), parityUnitCount };
}
