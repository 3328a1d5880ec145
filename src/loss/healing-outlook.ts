// Which lost pages can be healed, and how: from the manifest alone, before anything is read. Pure; a restore acts on it,
// and `verify` prints it.
import { type HealingWay, healingWayOf } from '../../introspect/heal/healed-by.js';
import type { ManifestHeader, RamSpace } from '../manifest/types.js';
import type { LostRun } from './lost-pages.js';

/** What healing takes from the manifest. Undefined for a snapshot of disks alone. */
export type HealedSpace = Pick<RamSpace, 'healing' | 'diskHeld'> | undefined;

export type LabelHealing =
  | { readonly way: HealingWay }
  /** `why`: why the guest would not run on without these pages. */
  | { readonly way: 'none'; readonly why: string };

/** Ascending by page. Of `disk`: healed if a disk image of the snapshot's moment is given. */
export interface HealingOutlook extends Readonly<Record<HealingWay, readonly LostRun[]>> {
  /** Not to be healed, with the reason. */
  readonly none: readonly UnhealedRun[];
}

export interface UnhealedRun extends LostRun {
  /** As of `LabelHealing`. */
  readonly why: string;
}

/** What a snapshot lacks for each way; undefined where it has all. */
const whyNot: Readonly<Record<HealingWay, (space: HealedSpace) => string | undefined>> = {
  filling: withoutFacts,
  rereading: withoutFacts,
  disk: (space) =>
    space?.diskHeld === undefined
      ? 'the snapshot does not say where on a disk they are'
      : undefined,
};

/** How lost pages of a label are healed in this snapshot. */
export function healingOfLabel(label: string, space: HealedSpace): LabelHealing {
  const way = healingWayOf(label);
  if (way === 'none') {
    return { way, why: `pages labelled ${label} are critical` };
  }
  const why = whyNot[way](space);
  return why === undefined ? { way } : { way: 'none', why };
}

export function healingOutlook(
  space: HealedSpace,
  { legend }: Pick<ManifestHeader, 'legend'>,
  lost: readonly LostRun[],
): HealingOutlook {
  const healed: Record<HealingWay, LostRun[]> = { filling: [], rereading: [], disk: [] };
  const none: UnhealedRun[] = [];
  for (const run of lost) {
    const healing = healingOfLabel(legend[run.label], space);
    if (healing.way === 'none') {
      none.push({ ...run, why: healing.why });
    } else {
      healed[healing.way].push(run);
    }
  }
  return { ...healed, none };
}

function withoutFacts(space: HealedSpace): string | undefined {
  return space?.healing === undefined
    ? 'the snapshot was made without what healing needs'
    : undefined;
}
