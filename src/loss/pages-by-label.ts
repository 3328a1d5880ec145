// How many pages of each label lie in each pack, counted once over the columns. Who asks what is lost with which packs
// then adds up numbers, and looks at no page again.
import type { AddressSpace, SnapshotFrames } from '../manifest/types.js';
import { lowBits, maskPageCount } from '../pack/mask.js';
import { windowPageCount } from '../pack/types.js';

export interface PagesByLabel {
  readonly labelCount: number;
  /** Pages of label l in pack p at p * labelCount + l. Pages of zeroes lie in no pack. */
  readonly counts: Uint32Array;
}

/** Counts the space's pages in all frames, or in those that `isCounted`. */
export function countPages(
  { places, labelRuns }: Pick<AddressSpace, 'places' | 'labelRuns'>,
  { pack }: Pick<SnapshotFrames, 'pack'>,
  packCount: number,
  labelCount: number,
  isCounted: (frame: number) => boolean = () => true,
): PagesByLabel {
  const { window, maskLow, maskHigh, frame: frameOf } = places;
  const { label, firstPage, pageCount } = labelRuns;
  const counts = new Uint32Array(packCount * labelCount);
  // Places ascend by window, so the runs before one are behind all that follow.
  let run = 0;
  for (let place = 0; place < window.length; place++) {
    const frame = frameOf[place];
    if (!isCounted(frame)) {
      continue;
    }
    const start = window[place] * windowPageCount;
    while (run < label.length && firstPage[run] + pageCount[run] <= start) {
      run++;
    }
    for (let at = run; at < label.length && firstPage[at] < start + windowPageCount; at++) {
      const from = Math.max(firstPage[at] - start, 0);
      const end = Math.min(firstPage[at] + pageCount[at] - start, windowPageCount);
      counts[pack[frame] * labelCount + label[at]] += maskPageCount(
        maskLow[place] & bitsBetween(Math.min(from, 32), Math.min(end, 32)),
        maskHigh[place] & bitsBetween(Math.max(from - 32, 0), Math.max(end - 32, 0)),
      );
    }
  }
  return { labelCount, counts };
}

/** The sum over several spaces, which were counted over the same packs and labels. */
export function sumPages(counted: readonly PagesByLabel[]): PagesByLabel {
  const [{ labelCount, counts }, ...others] = counted;
  return {
    labelCount,
    counts: counts.map((count, at) => others.reduce((sum, other) => sum + other.counts[at], count)),
  };
}

/** Whether any page of these labels lies in the pack. */
export function packHolds(
  { labelCount, counts }: PagesByLabel,
  pack: number,
  isLabelOf: (label: number) => boolean,
): boolean {
  for (let label = 0; label < labelCount; label++) {
    if (counts[pack * labelCount + label] > 0 && isLabelOf(label)) {
      return true;
    }
  }
  return false;
}

/** Bits `from` up to but not including `end`, both 0..32. */
function bitsBetween(from: number, end: number): number {
  return lowBits(end) & ~lowBits(from);
}
