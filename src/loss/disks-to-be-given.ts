// Pages of RAM that a disk holds come back from the disk that was stored with them, or from one that a restore is given.
import { disksOf, ramOf } from '../manifest/space/spaces.js';
import type { AddressSpace } from '../manifest/types.js';

/** Names of the disks that hold pages of RAM and are not stored with them: their images a restore must be given. */
export function disksToBeGiven(spaces: readonly AddressSpace[]): readonly string[] {
  const { disks = [], disk = new Uint8Array() } = ramOf({ spaces })?.diskHeld ?? {};
  const used = new Set(disk);
  const stored = new Set(disksOf({ spaces }).map((space) => space.disk.name));
  return disks.flatMap(({ name }, index) => (used.has(index) && !stored.has(name) ? [name] : []));
}
