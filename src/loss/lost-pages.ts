// Which pages cannot be had back, from frames that could not be read: exact, by page, with label and reason.
import { labelOf } from '../manifest/space/place.js';
import { notStoredOf } from '../manifest/space/spaces.js';
import type { AddressSpace, SnapshotFrames } from '../manifest/types.js';
import { maskHas } from '../pack/mask.js';
import { windowPageCount } from '../pack/types.js';
import type { LossReason, LostFrames, LostPacks } from './loss-reason.js';

/** A run of pages with one label and one reason. */
export interface LostRun {
  /** Page index in image order. */
  readonly firstPage: number;
  readonly pageCount: number;
  /** Label number; the manifest's legend names it. */
  readonly label: number;
  readonly reason: LossReason;
}

/** The frames that go with packs that are lost as a whole. */
export function framesOfPacks(
  { pack: packOf }: Pick<SnapshotFrames, 'pack'>,
  lostPacks: LostPacks,
): LostFrames {
  const lostFrames = new Map<number, LossReason>();
  if (lostPacks.size === 0) {
    return lostFrames;
  }
  packOf.forEach((pack, frame) => {
    const reason = lostPacks.get(pack);
    if (reason !== undefined) {
      lostFrames.set(frame, reason);
    }
  });
  return lostFrames;
}

/** Runs ascending by page, of the space's pages that lie in these frames. */
export function lostRuns(space: AddressSpace, lostFrames: LostFrames): readonly LostRun[] {
  const runs: { firstPage: number; pageCount: number; label: number; reason: LossReason }[] = [];
  if (lostFrames.size === 0) {
    return runs;
  }
  const { window, maskLow, maskHigh, frame } = space.places;
  for (let at = 0; at < window.length;) {
    // Places of one window interleave, so a window is taken at once.
    const lost: { readonly place: number; readonly reason: LossReason }[] = [];
    const start = window[at] * windowPageCount;
    for (const first = window[at]; window[at] === first; at++) {
      const reason = lostFrames.get(frame[at]);
      if (reason !== undefined) {
        lost.push({ place: at, reason });
      }
    }
    for (let bit = 0; lost.length > 0 && bit < windowPageCount; bit++) {
      const owner = lost.find(({ place }) => maskHas(maskLow[place], maskHigh[place], bit));
      if (owner === undefined) {
        continue;
      }
      const page = start + bit;
      const label = labelOf(space, page);
      const last = runs.at(-1);
      if (
        last?.firstPage === page - (last?.pageCount ?? 0) &&
        last.label === label &&
        last.reason === owner.reason
      ) {
        last.pageCount++;
      } else {
        runs.push({ firstPage: page, pageCount: 1, label, reason: owner.reason });
      }
    }
  }
  return runs;
}

export function lostPageCount(runs: readonly LostRun[]): number {
  return runs.reduce((sum, run) => sum + run.pageCount, 0);
}

/** The pages that every restore lacks, ascending. */
export function notStoredRuns(space: AddressSpace): readonly LostRun[] {
  const { label, firstPage, pageCount } = space.labelRuns;
  const notStored = notStoredOf(space);
  const runs: LostRun[] = [];
  for (let run = 0; run < label.length && notStored.length > 0; run++) {
    if (notStored.includes(label[run])) {
      runs.push({
        firstPage: firstPage[run],
        pageCount: pageCount[run],
        label: label[run],
        reason: 'not-stored',
      });
    }
  }
  return runs;
}
