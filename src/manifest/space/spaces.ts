// The spaces of a snapshot by what they are.
import type { AddressSpace, DiskSpace, RamSpace } from '../types.js';

interface WithSpaces {
  readonly spaces: readonly AddressSpace[];
}

/** Undefined for a snapshot of disks alone. */
export function ramOf({ spaces }: WithSpaces): RamSpace | undefined {
  return spaces.find((space) => space.kind === 'ram');
}

export function disksOf({ spaces }: WithSpaces): readonly DiskSpace[] {
  return spaces.filter((space) => space.kind === 'disk');
}

/** Numbers of the labels of which no page is stored; of a disk, and where there is no RAM, none. */
export function notStoredOf(space: AddressSpace | undefined): readonly number[] {
  return space?.kind === 'ram' ? (space.notStored ?? []) : [];
}
