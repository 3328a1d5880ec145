// What a restore does about the pages of RAM that it could not read: tells beforehand which it will lack, and heals the
// others, with the disks it was given and with those that it has just written.
import { DiskImage } from '../disk/disk-image.js';
import { closeGuestDisks, type GuestDisk } from '../disk/guest-disks.js';
import { ramOf } from '../manifest/space/spaces.js';
import type { Manifest, RamSpace } from '../manifest/types.js';
import { type Healing, healRam, nothingHealed } from './heal-ram.js';
import { healingOutlook, type UnhealedRun } from '../loss/healing-outlook.js';
import type { LostRun } from '../loss/lost-pages.js';
import { disksToBeGiven } from '../loss/disks-to-be-given.js';
import { partOf } from './part-file.js';
import type { DiskTarget } from './restored-disk.js';

/** As a restore is asked (restore-snapshot.ts). */
export interface HealLostRequest {
  readonly manifest: Manifest;
  readonly noHeal?: boolean;
  readonly disks?: readonly GuestDisk[];
  readonly withoutDisks?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The pages that a restore will certainly lack. */
export function unhealable(
  request: HealLostRequest,
  lost: readonly LostRun[],
): readonly UnhealedRun[] {
  const { manifest, noHeal, disks = [] } = request;
  if (noHeal === true) {
    return lost.map((run) => ({ ...run, why: 'healing was not wanted' }));
  }
  const { none, disk } = healingOutlook(ramOf(manifest), manifest.header, lost);
  const withoutDisk = disks.length > 0 || hasOwnDisks(request) ? [] : disk;
  const why = whyNoDisk(request);
  return [...none, ...withoutDisk.map((run) => ({ ...run, why }))].sort(
    (a, b) => a.firstPage - b.firstPage,
  );
}

/** Whether every disk that holds pages of RAM is restored before it. */
function hasOwnDisks({ manifest, withoutDisks }: HealLostRequest): boolean {
  return withoutDisks !== true && disksToBeGiven(manifest.spaces).length === 0;
}

function whyNoDisk({ manifest, withoutDisks }: HealLostRequest): string {
  const disks = ramOf(manifest)?.diskHeld?.disks;
  const held = disks?.map(({ name }) => name).join(', ') ?? 'unnamed';
  const remedy =
    withoutDisks === true && disksToBeGiven(manifest.spaces).length === 0
      ? 'restore it with its disks, or give it with --disk'
      : 'give it with --disk';
  return `only the disk ${held} of the snapshot's moment has their bytes: ${remedy}`;
}

/** Heals what can be healed of a RAM file that is written, its disks before it. */
export async function healLost(
  request: HealLostRequest,
  targets: readonly DiskTarget[],
  ramPath: string,
  lost: readonly LostRun[],
): Promise<Healing> {
  const { manifest, signal } = request;
  const space = ramOf(manifest);
  if (lost.length === 0 || space === undefined) {
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

/** Those just written that hold pages of RAM. */
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
