// What must hold between the parts of a manifest, whatever its bytes: the same check before writing and after reading.
// A manifest that passes can be restored from without looking again: every page has one label and one place or none.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { frameLayouts, maxFramePageCount, packHeaderSizeBytes } from '../pack/layout.js';
import { lowBits, maskPageCount } from '../pack/mask.js';
import { windowPageCount } from '../pack/types.js';
import { codedPacksFeature, maxPageCount } from './layout.js';
import { spacesProblem } from './space/disk-space.js';
import { ramOf } from './space/spaces.js';
import type { AddressSpace, Manifest, RamSpace, SnapshotFrames } from './types.js';

/** A frame of version 2 has the shorter header, one of version 1 the longer. */
const leastFrameBytes = frameLayouts[2].headerSizeBytes;
const mostHeaderBytes = frameLayouts[1].headerSizeBytes;

/** The first thing that does not hold, in words, or undefined. */
export function findProblem(manifest: Manifest): string | undefined {
  const { header, frames, spaces } = manifest;
  const doubled = firstDoubled(header.packs.map(({ name }) => name));
  if (doubled !== undefined) {
    return `two packs are named ${doubled}`;
  }
  const role = firstDoubled(header.attachments.map((attachment) => attachment.role));
  if (role !== undefined) {
    return `two attachments have the role ${role}`;
  }
  const label = firstDoubled(header.legend);
  if (label !== undefined) {
    return `the legend names ${label} twice`;
  }
  const name = firstDoubled(spaces.map((space) => space.name));
  if (name !== undefined) {
    return `two spaces are named ${name}`;
  }

  const isCoded = header.packs.some(({ code }) => code !== undefined);
  if (isCoded && !header.requiredFeatures.includes(codedPacksFeature)) {
    return `packs are in an erasure code, and the feature ${codedPacksFeature} is not required`;
  }

  const frameTable = frameProblem(frames, header.packs);
  if (frameTable !== undefined) {
    return frameTable;
  }

  const counts = new Float64Array(256);
  for (const space of spaces) {
    const pageCount = space.regions.reduce(
      (sum, { sizeBytes }) => sum + sizeBytes / pageSizeBytes,
      0,
    );
    const problem =
      regionProblem(space) ??
      (pageCount > maxPageCount
        ? `${pageCount} pages, at most ${maxPageCount} are possible`
        : undefined) ??
      labelProblem(space, pageCount, header.legend.length, counts) ??
      placeProblem(space, pageCount, frames) ??
      (space.kind === 'ram' ? ramProblem(space, pageCount, header) : undefined);
    if (problem !== undefined) {
      return `space ${space.name}: ${problem}`;
    }
  }
  const regions = ramOf(manifest)?.regions ?? [];
  const imageSizeBytes = regions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (imageSizeBytes !== header.imageSizeBytes) {
    return `imageSizeBytes is ${header.imageSizeBytes}, the regions of RAM have ${imageSizeBytes}`;
  }
  return labelCountProblem(header, counts) ?? spacesProblem(manifest);
}

function firstDoubled(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

function regionProblem({ regions }: AddressSpace): string | undefined {
  let end = 0;
  for (const { start, sizeBytes } of regions) {
    if (start % pageSizeBytes !== 0 || sizeBytes % pageSizeBytes !== 0 || sizeBytes === 0) {
      return `the region at ${start} of ${sizeBytes} bytes is not made of whole pages`;
    }
    if (start < end) {
      return `the region at ${start} begins before byte ${end}, where the last one ends`;
    }
    end = start + sizeBytes;
    if (!Number.isSafeInteger(end)) {
      return `the region at ${start} ends beyond 2^53`;
    }
  }
  return undefined;
}

/** Adds the pages of each label to `counts`. */
function labelProblem(
  { labelRuns }: AddressSpace,
  pageCount: number,
  legendLength: number,
  counts: Float64Array,
): string | undefined {
  const runCount = labelRuns.label.length;
  if (labelRuns.firstPage.length !== runCount || labelRuns.pageCount.length !== runCount) {
    return 'the columns of the label runs differ in length';
  }
  let page = 0;
  for (let run = 0; run < runCount; run++) {
    const label = labelRuns.label[run];
    if (label >= legendLength) {
      return `label run ${run} has label ${label}, the legend names ${legendLength}`;
    }
    if (labelRuns.pageCount[run] === 0) {
      return `label run ${run} is empty`;
    }
    if (labelRuns.firstPage[run] !== page) {
      return `label run ${run} begins at page ${labelRuns.firstPage[run]}, expected ${page}`;
    }
    counts[label] += labelRuns.pageCount[run];
    page += labelRuns.pageCount[run];
    if (page > pageCount) {
      break;
    }
  }
  return page === pageCount
    ? undefined
    : `the label runs cover ${page} pages or more, the regions have ${pageCount}`;
}

function frameProblem(
  { pack, offset, length, identity, pageCount }: SnapshotFrames,
  packs: Manifest['header']['packs'],
): string | undefined {
  const frameCount = pack.length;
  if ([offset, length, identity, pageCount].some((column) => column.length !== frameCount)) {
    return 'the columns of the frames differ in length';
  }
  for (let frame = 0; frame < frameCount; frame++) {
    const pages = pageCount[frame];
    if (pages === 0 || pages > maxFramePageCount) {
      return `frame ${frame} has ${pages} pages, expected 1 to ${maxFramePageCount}`;
    }
    const sizeBytes = length[frame];
    if (sizeBytes <= leastFrameBytes || sizeBytes > mostHeaderBytes + pages * pageSizeBytes) {
      return `frame ${frame} is ${sizeBytes} bytes long for ${pages} pages`;
    }
    if (pack[frame] >= packs.length) {
      return `frame ${frame} lies in pack ${pack[frame]}, there are ${packs.length}`;
    }
    const { name, sizeBytes: packBytes } = packs[pack[frame]];
    const end = offset[frame] + sizeBytes;
    if (offset[frame] < packHeaderSizeBytes || end > packBytes) {
      return `frame ${frame} lies at bytes ${offset[frame]} to ${end} of ${name}, which has ${packBytes}`;
    }
  }
  return undefined;
}

function placeProblem(
  { places }: AddressSpace,
  pageCount: number,
  frames: SnapshotFrames,
): string | undefined {
  const { window: windows, maskLow, maskHigh, frame: frameOf, slot } = places;
  const placeCount = windows.length;
  if ([maskLow, maskHigh, frameOf, slot].some((column) => column.length !== placeCount)) {
    return 'the columns of the places differ in length';
  }
  const windowCount = Math.ceil(pageCount / windowPageCount);
  const lastPageCount = pageCount - (windowCount - 1) * windowPageCount;
  const outsideLow = ~lowBits(Math.min(lastPageCount, 32)) >>> 0;
  const outsideHigh = ~lowBits(Math.max(lastPageCount - 32, 0)) >>> 0;
  let window = -1;
  let seenLow = 0;
  let seenHigh = 0;
  for (let place = 0; place < placeCount; place++) {
    const low = maskLow[place];
    const high = maskHigh[place];
    if (windows[place] !== window) {
      if (windows[place] < window) {
        return `place ${place} is not in the order of windows`;
      }
      window = windows[place];
      seenLow = 0;
      seenHigh = 0;
    }
    const beyond =
      window >= windowCount ||
      (window === windowCount - 1 && ((low & outsideLow) | (high & outsideHigh)) !== 0);
    if (beyond) {
      return `place ${place} has pages beyond the ${pageCount} of the space`;
    }
    if (((low & seenLow) | (high & seenHigh)) !== 0) {
      return `place ${place} has a page of window ${window} that another place has`;
    }
    seenLow |= low;
    seenHigh |= high;
    const placed = maskPageCount(low, high);
    if (placed === 0) {
      return `place ${place} has no page`;
    }
    const frame = frameOf[place];
    if (frame >= frames.pack.length) {
      return `place ${place} is in frame ${frame}, there are ${frames.pack.length}`;
    }
    if (slot[place] + placed > frames.pageCount[frame]) {
      return `place ${place} is pages ${slot[place]} to ${slot[place] + placed} of frame ${frame}, which has ${frames.pageCount[frame]}`;
    }
  }
  return undefined;
}

function ramProblem(
  space: RamSpace,
  pageCount: number,
  header: Manifest['header'],
): string | undefined {
  return (
    memmapProblem(space) ?? diskHeldProblem(space, pageCount) ?? notStoredProblem(space, header)
  );
}

function labelCountProblem(
  { legend, labelCounts }: Manifest['header'],
  counts: Float64Array,
): string | undefined {
  for (const [number, label] of legend.entries()) {
    const stated = Object.hasOwn(labelCounts, label) ? labelCounts[label] : 0;
    if (stated !== counts[number]) {
      return `labelCounts has ${stated} pages of ${label}, the label runs have ${counts[number]}`;
    }
  }
  const foreign = Object.keys(labelCounts).find((label) => !legend.includes(label));
  return foreign === undefined ? undefined : `labelCounts names ${foreign}, the legend does not`;
}

/** Runs of struct pages ascend, so that one can be searched. */
function memmapProblem({ healing }: RamSpace): string | undefined {
  let end = 0;
  for (const { firstPfn, pageCount, gpa } of healing?.memmapRuns ?? []) {
    if (firstPfn < end) {
      return `the struct pages of frame ${firstPfn} are out of order`;
    }
    end = firstPfn + pageCount;
    if (!Number.isSafeInteger(end) || !Number.isSafeInteger(gpa + pageCount * 256)) {
      return `the struct pages of frame ${firstPfn} lie beyond 2^53`;
    }
  }
  return undefined;
}

function diskHeldProblem({ diskHeld }: RamSpace, pageCount: number): string | undefined {
  if (diskHeld === undefined) {
    return undefined;
  }
  const { disks, page, disk, offsetBytes } = diskHeld;
  for (let row = 0; row < page.length; row++) {
    if (row > 0 && page[row] <= page[row - 1]) {
      return `page ${page[row]} on a disk is out of order`;
    }
    if (page[row] >= pageCount) {
      return `page ${page[row]} on a disk is beyond the space`;
    }
    if (disk[row] >= disks.length) {
      return `page ${page[row]} is on disk ${disk[row]}, there are ${disks.length}`;
    }
    if (offsetBytes[row] + pageSizeBytes > disks[disk[row]].sizeBytes) {
      return `page ${page[row]} is at byte ${offsetBytes[row]} of ${disks[disk[row]].name}, which ends before`;
    }
  }
  return undefined;
}

function notStoredProblem(
  { notStored = [] }: RamSpace,
  { legend }: Manifest['header'],
): string | undefined {
  const unnamed = notStored.find((label) => label >= legend.length);
  return unnamed === undefined
    ? undefined
    : `label ${unnamed} is not stored, the legend names ${legend.length}`;
}
