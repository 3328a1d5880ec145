// Which pages cannot be had back, from frames that could not be read: exact, by page, with label and reason.
import { labelOf } from '../manifest/place.js';
import type { AddressSpace } from '../manifest/types.js';
import { maskHas } from '../pack/mask.js';
import { windowPageCount } from '../pack/types.js';

/**
 * `lost`: no live copy. `unreachable`: the store lists copies, and none of them can be reached now. `corrupt`: a copy was
 * read, and it is not what was written. `not-stored`: the policy left it out.
 */
export type LossReason = 'lost' | 'unreachable' | 'corrupt' | 'not-stored';

/** Packs of which nothing can be read, by index, and why. */
export type LostPacks = ReadonlyMap<number, Extract<LossReason, 'lost' | 'unreachable'>>;

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
  { frames }: Pick<AddressSpace, 'frames'>,
  lostPacks: LostPacks,
): ReadonlyMap<number, LossReason> {
  const lostFrames = new Map<number, LossReason>();
  frames.pack.forEach((pack, frame) => {
    const reason = lostPacks.get(pack);
    if (reason !== undefined) {
      lostFrames.set(frame, reason);
    }
  });
  return lostFrames;
}

/** Runs ascending by page, from frame indices and why each is lost. */
export function lostRuns(
  space: AddressSpace,
  lostFrames: ReadonlyMap<number, LossReason>,
): readonly LostRun[] {
  const runs: { firstPage: number; pageCount: number; label: number; reason: LossReason }[] = [];
  const { window, maskLow, maskHigh } = space.frames;
  const frames = [...lostFrames].sort(([a], [b]) => a - b);
  for (let at = 0; at < frames.length;) {
    // Frames of one window interleave, so a window is taken at once.
    let end = at + 1;
    while (end < frames.length && window[frames[end][0]] === window[frames[at][0]]) {
      end++;
    }
    const inWindow = frames.slice(at, end);
    const start = window[frames[at][0]] * windowPageCount;
    for (let bit = 0; bit < windowPageCount; bit++) {
      const owner = inWindow.find(([frame]) => maskHas(maskLow[frame], maskHigh[frame], bit));
      if (owner === undefined) {
        continue;
      }
      const page = start + bit;
      const label = labelOf(space, page);
      const last = runs.at(-1);
      if (
        last?.firstPage === page - (last?.pageCount ?? 0) &&
        last.label === label &&
        last.reason === owner[1]
      ) {
        last.pageCount++;
      } else {
        runs.push({ firstPage: page, pageCount: 1, label, reason: owner[1] });
      }
    }
    at = end;
  }
  return runs;
}

export function lostPageCount(runs: readonly LostRun[]): number {
  return runs.reduce((sum, run) => sum + run.pageCount, 0);
}

/** The pages that every restore lacks, ascending. */
export function notStoredRuns({ labelRuns, notStored = [] }: AddressSpace): readonly LostRun[] {
  const { label, firstPage, pageCount } = labelRuns;
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

/** Both ascend, and have no page in common. */
export function mergeRuns(a: readonly LostRun[], b: readonly LostRun[]): readonly LostRun[] {
  return b.length === 0 ? a : [...a, ...b].sort((x, y) => x.firstPage - y.firstPage);
}
