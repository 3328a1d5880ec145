// Heals what can be healed of RAM that a restore has written, with the disks it was given and with those that it has just
// written.
import { DiskImage } from '../../disk/disk-image.js';
import { closeGuestDisks, type GuestDisk } from '../../disk/guest-disks.js';
import { healingOutlook } from '../../loss/healing-outlook.js';
import type { LostRun } from '../../loss/lost-pages.js';
import type { RamSpace } from '../../manifest/types.js';
import { partOf } from '../output/part-file.js';
import type { RestoreRequest } from '../restore-request.js';
import type { DiskTarget } from '../restored-disk.js';
import { healRam } from './heal-ram.js';
import { type Healing, nothingHealed } from './healing.js';
import { unhealable } from './unhealable.js';

/** In `ramPath`, of which `lost` could not be read; the disks are parts still. */
export async function healLost(
  request: RestoreRequest,
  space: RamSpace,
  ramPath: string,
  targets: readonly DiskTarget[],
  lost: readonly LostRun[],
): Promise<Healing> {
  const { manifest, signal } = request;
  if (lost.length === 0) {
    return nothingHealed;
  }
  if (request.noHeal === true) {
    return { ...nothingHealed, unhealed: unhealable(request, lost) };
  }
  const outlook = healingOutlook(space, manifest.header, lost);
  const ownDisks = outlook.disk.length === 0 ? [] : openOwnDisks(space, targets);
  try {
    const disks = [...(request.disks ?? []), ...ownDisks];
    return await healRam({ ramPath, space, outlook, disks, signal });
  } finally {
    closeGuestDisks(ownDisks);
  }
}

/** Opens the disks just written that hold pages of RAM. */
function openOwnDisks(
  { diskHeld }: RamSpace,
  targets: readonly DiskTarget[],
): readonly GuestDisk[] {
  const opened: GuestDisk[] = [];
  try {
    for (const { space, path } of targets) {
      const { disk } = space;
      if (diskHeld?.disks.some(({ name }) => name === disk.name) === true) {
        opened.push({ name: disk.name, image: DiskImage.open(partOf(path)) });
      }
    }
    return opened;
  } catch (error) {
    closeGuestDisks(opened);
    throw error;
  }
}
