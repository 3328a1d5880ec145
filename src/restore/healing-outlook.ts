// Which lost pages can be healed, and how: from the manifest alone, before anything is read. Pure; a restore acts on it,
// and `verify` prints it.
import { healedBy } from '../../introspect/heal/heal.js';
import type { PageLabel } from '../../introspect/page-class.js';
import type { ManifestHeader, RamSpace } from '../manifest/types.js';
import type { LostRun } from './lost-pages.js';

/** In which way a page is healed: by the kernel's own means (introspect/heal/heal.ts), or with bytes of a disk image. */
export type HealingWay = 'filling' | 'rereading' | 'disk';

export interface HealingOutlook {
  /** Ascending by page. */
  readonly filling: readonly LostRun[];
  readonly rereading: readonly LostRun[];
  /** Healed if a disk image of the snapshot's moment is given. */
  readonly disk: readonly LostRun[];
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
    const way = wayOf(label);
    if (way === undefined) {
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

function wayOf(label: string): HealingWay | undefined {
  return label === 'disk-held' ? 'disk' : healedBy[label as PageLabel];
}
