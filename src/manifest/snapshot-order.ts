// The order of snapshots wherever they are listed: oldest first, and of one moment by id. Stores are read in any order.
import type { ManifestHeader } from './types.js';

export function olderFirst(
  a: Pick<ManifestHeader, 'createdMs' | 'id'>,
  b: Pick<ManifestHeader, 'createdMs' | 'id'>,
): number {
  return a.createdMs - b.createdMs || compareText(a.id, b.id);
}

/** By code units: the same order on every host. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
