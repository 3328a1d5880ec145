// The pages that a restore will certainly lack, by what it was asked and given. Pure.
import { disksToBeGiven } from '../../loss/disks-to-be-given.js';
import { healingOutlook, type UnhealedRun } from '../../loss/healing-outlook.js';
import type { LostRun } from '../../loss/lost-pages.js';
import { ramOf } from '../../manifest/space/spaces.js';
import type { RestoreRequest } from '../restore-request.js';

export type HealingRequest = Pick<RestoreRequest, 'manifest' | 'noHeal' | 'disks' | 'withoutDisks'>;

export function unhealable(
  request: HealingRequest,
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
function hasOwnDisks({ manifest, withoutDisks }: HealingRequest): boolean {
  return withoutDisks !== true && disksToBeGiven(manifest.spaces).length === 0;
}

function whyNoDisk({ manifest, withoutDisks }: HealingRequest): string {
  const disks = ramOf(manifest)?.diskHeld?.disks;
  const held = disks?.map(({ name }) => name).join(', ') ?? 'unnamed';
  const remedy =
    withoutDisks === true && disksToBeGiven(manifest.spaces).length === 0
      ? 'restore it with its disks, or give it with --disk'
      : 'give it with --disk';
  return `only the disk ${held} of the snapshot's moment has their bytes: ${remedy}`;
}
