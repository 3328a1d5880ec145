// Which lost pages can be healed, and how: from the manifest alone, before anything is read. Pure; a restore acts on it,
// and `verify` prints it.
import { type HealingWay, healingWayOf } from '../../introspect/heal/healed-by.js';
import type { ManifestHeader, RamSpace } from '../manifest/types.js';
import type { LostRun } from './lost-pages.js';

/** Ascending by page. Of `disk`: healed if a disk image of the snapshot's moment is given. */
export interface HealingOutlook extends Readonly<Record<HealingWay, readonly LostRun[]>> {
  /** Not to be healed, with the reason. */
  readonly none: readonly UnhealedRun[];
}

export interface UnhealedRun extends LostRun {
  /** Why the guest would not run on without these pages. */
  readonly why: string;
}

/** `space`: RAM, where there is any. */
export function healingOutlook(
  space: Pick<RamSpace, 'healing' | 'diskHeld'> | undefined,
  { legend }: Pick<ManifestHeader, 'legend'>,
  lost: readonly LostRun[],
): HealingOutlook {
  const filling: LostRun[] = [];
  const rereading: LostRun[] = [];
  const disk: LostRun[] = [];
  const none: UnhealedRun[] = [];
  for (const run of lost) {
    const label = legend[run.label];
    const way = healingWayOf(label);
    if (way === 'none') {
      none.push({ ...run, why: `pages labelled ${label} are critical` });
    } else if (way === 'disk') {
      if (space?.diskHeld === undefined) {
        none.push({ ...run, why: 'the snapshot does not say where on a disk they are' });
      } else {
        disk.push(run);
      }
    } else if (space?.healing === undefined) {
      none.push({ ...run, why: 'the snapshot was made without what healing needs' });
    } else {
      (way === 'filling' ? filling : rereading).push(run);
    }
  }
  return { filling, rereading, disk, none };
}
