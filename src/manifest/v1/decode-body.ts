// The body of a version 1 manifest, which stands in the manifest's own file. There each frame belonged to one space and held the
// pages of one window, in the order of their bits: a frame is a place.
import { identityOfV1 } from '../../pack/frame-identity.js';
import { maskPageCount } from '../../pack/mask.js';
import { diskHeldOf, healingOf } from '../healing-record.js';
import { disksFeature, notStoredFeature } from '../layout.js';
import { columnOfBytes } from '../space/columns.js';
import { labelRunsOf, type SizedColumn, sizedColumns } from '../space/space-columns.js';
import type { AddressSpace, ManifestHeader, SnapshotFrames } from '../types.js';
import type { SpaceV1Record } from './schema.js';

export interface BodyV1 {
  readonly frames: SnapshotFrames;
  readonly spaces: readonly AddressSpace[];
}

/** Throws what `fail` makes of a sentence. */
export function decodeBodyV1(
  records: readonly SpaceV1Record[],
  header: ManifestHeader,
  fail: (problem: string) => Error,
): BodyV1 {
  const frameCount = records.reduce((sum, record) => sum + record.frameCount, 0);
  const frames = {
    offset: new Uint32Array(frameCount),
    length: new Uint32Array(frameCount),
    identity: new Uint32Array(frameCount),
    pageCount: new Uint8Array(frameCount),
    pack: new Uint32Array(frameCount),
  };
  let firstFrame = 0;
  const spaces = records.map((record, index) => {
    const sized = sizedColumns(`space ${record.name}: `, fail);
    const space = spaceOf(record, index, firstFrame, frames, sized);
    const problem = problemOf(record, index, header);
    if (problem !== undefined) {
      throw fail(problem);
    }
    firstFrame += record.frameCount;
    return space;
  });
  return { frames, spaces };
}

function spaceOf(
  record: SpaceV1Record,
  index: number,
  firstFrame: number,
  frames: SnapshotFrames,
  sized: SizedColumn,
): AddressSpace {
  const count = record.frameCount;
  const column = (field: keyof typeof record.frames): Uint32Array =>
    columnOfBytes(sized(record.frames[field], `frames.${field}`, count * 4));
  const window = column('window');
  const maskLow = column('maskLow');
  const maskHigh = column('maskHigh');
  frames.offset.set(column('offset'), firstFrame);
  frames.length.set(column('length'), firstFrame);
  frames.pack.set(column('pack'), firstFrame);
  for (let at = 0; at < count; at++) {
    const low = maskLow[at];
    const high = maskHigh[at];
    frames.pageCount[firstFrame + at] = maskPageCount(low, high);
    frames.identity[firstFrame + at] = identityOfV1(index, window[at], low, high);
  }
  const common = {
    name: record.name,
    pageSizeBytes: record.pageSizeBytes,
    regions: record.regions,
    labelRuns: labelRunsOf(record.labelRuns, record.labelRunCount, sized),
    places: {
      window,
      maskLow,
      maskHigh,
      frame: Uint32Array.from({ length: count }, (_, at) => firstFrame + at),
      slot: new Uint8Array(count),
    },
  };
  const pageCount = common.labelRuns.pageCount.reduce((sum, pages) => sum + pages, 0);
  if (record.pageHashes !== null) {
    sized(record.pageHashes, 'pageHashes', pageCount * 8);
  }
  return record.disk !== undefined
    ? { kind: 'disk', ...common, disk: record.disk }
    : {
        kind: 'ram',
        ...common,
        healing: record.healing === undefined ? undefined : healingOf(record.healing, sized),
        diskHeld: record.diskHeld === undefined ? undefined : diskHeldOf(record.diskHeld, sized),
        notStored: record.notStored,
      };
}

/** What version 1 asks of a space, and later ones do not. */
function problemOf(
  { name, disk, healing, diskHeld, notStored = [] }: SpaceV1Record,
  index: number,
  { requiredFeatures }: ManifestHeader,
): string | undefined {
  if (index === 0 && disk !== undefined) {
    return `the first space, ${name}, is a disk, expected RAM`;
  }
  if (index > 0 && disk === undefined) {
    return `space ${name}: it is neither RAM nor a disk`;
  }
  if (index > 0 && !requiredFeatures.includes(disksFeature)) {
    return `there are disks, but the feature ${disksFeature} is not required`;
  }
  if (disk !== undefined && [healing, diskHeld].some((key) => key !== undefined)) {
    return `space ${name}: pages of a disk cannot be healed, yet it says how`;
  }
  if (notStored.length > 0 && !requiredFeatures.includes(notStoredFeature)) {
    return `labels are not stored, but the feature ${notStoredFeature} is not required`;
  }
  return undefined;
}
