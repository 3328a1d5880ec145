// What must hold between the parts of a manifest, whatever its bytes: the same check before writing and after reading.
// A manifest that passes can be restored from without looking again: every page has one label and one place or none.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { frameHeaderSizeBytes, packHeaderSizeBytes } from '../pack/layout.js';
import { lowBits, maskPageCount } from '../pack/mask.js';
import { windowPageCount } from '../pack/types.js';
import { disksProblem } from './disk-space.js';
import { maxPageCount, notStoredFeature } from './layout.js';
import type { AddressSpace, Manifest } from './types.js';

/** The first thing that does not hold, in words, or undefined. */
export function findProblem(manifest: Manifest): string | undefined {
  const { header, spaces } = manifest;
  const doubled = firstDoubled(header.packs.map(({ name }) => name));
  if (doubled !== undefined) return `two packs are named ${doubled}`;
  const role = firstDoubled(header.attachments.map((attachment) => attachment.role));
  if (role !== undefined) return `two attachments have the role ${role}`;
  const label = firstDoubled(header.legend);
  if (label !== undefined) return `the legend names ${label} twice`;
  const name = firstDoubled(spaces.map((space) => space.name));
  if (name !== undefined) return `two spaces are named ${name}`;

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
      frameProblem(space, pageCount, header) ??
      hashProblem(space, pageCount) ??
      memmapProblem(space) ??
      diskHeldProblem(space, pageCount) ??
      notStoredProblem(space, header);
    if (problem !== undefined) return `space ${space.name}: ${problem}`;
  }
  const imageSizeBytes = spaces[0].regions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (imageSizeBytes !== header.imageSizeBytes) {
    return `imageSizeBytes is ${header.imageSizeBytes}, the regions of ${spaces[0].name} have ${imageSizeBytes}`;
  }
  return labelCountProblem(header, counts) ?? disksProblem(manifest);
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
    if (start < end)
      return `the region at ${start} begins before byte ${end}, where the last one ends`;
    end = start + sizeBytes;
    if (!Number.isSafeInteger(end)) return `the region at ${start} ends beyond 2^53`;
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
    if (labelRuns.pageCount[run] === 0) return `label run ${run} is empty`;
    if (labelRuns.firstPage[run] !== page) {
      return `label run ${run} begins at page ${labelRuns.firstPage[run]}, expected ${page}`;
    }
    counts[label] += labelRuns.pageCount[run];
    page += labelRuns.pageCount[run];
    if (page > pageCount) break;
  }
  return page === pageCount
    ? undefined
    : `the label runs cover ${page} pages or more, the regions have ${pageCount}`;
}

function frameProblem(
  { frames }: AddressSpace,
  pageCount: number,
  { packs }: Manifest['header'],
): string | undefined {
  const { window: windows, maskLow, maskHigh, offset: offsets, length: lengths, pack } = frames;
  const frameCount = windows.length;
  if ([maskLow, maskHigh, offsets, lengths, pack].some((column) => column.length !== frameCount)) {
    return 'the columns of the frames differ in length';
  }
  const windowCount = Math.ceil(pageCount / windowPageCount);
  const lastPageCount = pageCount - (windowCount - 1) * windowPageCount;
  const outsideLow = ~lowBits(Math.min(lastPageCount, 32)) >>> 0;
  const outsideHigh = ~lowBits(Math.max(lastPageCount - 32, 0)) >>> 0;
  let window = -1;
  let seenLow = 0;
  let seenHigh = 0;
  for (let frame = 0; frame < frameCount; frame++) {
    const low = maskLow[frame];
    const high = maskHigh[frame];
    if (windows[frame] !== window) {
      if (windows[frame] < window) return `frame ${frame} is not in the order of windows`;
      window = windows[frame];
      seenLow = 0;
      seenHigh = 0;
    }
    const beyond =
      window >= windowCount ||
      (window === windowCount - 1 && ((low & outsideLow) | (high & outsideHigh)) !== 0);
    if (beyond) return `frame ${frame} holds pages beyond the ${pageCount} of the space`;
    if (((low & seenLow) | (high & seenHigh)) !== 0) {
      return `frame ${frame} holds a page of window ${window} that another frame holds`;
    }
    seenLow |= low;
    seenHigh |= high;
    const rawSizeBytes = maskPageCount(low, high) * pageSizeBytes;
    if (rawSizeBytes === 0) return `frame ${frame} holds no page`;
    const offset = offsets[frame];
    const length = lengths[frame];
    if (length <= frameHeaderSizeBytes || length > frameHeaderSizeBytes + rawSizeBytes) {
      return `frame ${frame} is ${length} bytes long for ${rawSizeBytes} bytes of pages`;
    }
    if (pack[frame] >= packs.length) {
      return `frame ${frame} lies in pack ${pack[frame]}, there are ${packs.length}`;
    }
    const { name, sizeBytes } = packs[pack[frame]];
    if (offset < packHeaderSizeBytes || offset + length > sizeBytes) {
      return `frame ${frame} lies at bytes ${offset} to ${offset + length} of ${name}, which has ${sizeBytes}`;
    }
  }
  return undefined;
}

function hashProblem({ pageHashes }: AddressSpace, pageCount: number): string | undefined {
  return pageHashes === null || pageHashes.length === pageCount * 8
    ? undefined
    : `the page hashes take ${pageHashes.length} bytes, expected ${pageCount * 8}`;
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
function memmapProblem({ healing }: AddressSpace): string | undefined {
  let end = 0;
  for (const { firstPfn, pageCount, gpa } of healing?.memmapRuns ?? []) {
    if (firstPfn < end) return `the struct pages of frame ${firstPfn} are out of order`;
    end = firstPfn + pageCount;
    if (!Number.isSafeInteger(end) || !Number.isSafeInteger(gpa + pageCount * 256)) {
      return `the struct pages of frame ${firstPfn} lie beyond 2^53`;
    }
  }
  return undefined;
}

function diskHeldProblem({ diskHeld }: AddressSpace, pageCount: number): string | undefined {
  if (diskHeld === undefined) return undefined;
  const { disks, page, disk, offsetBytes } = diskHeld;
  for (let row = 0; row < page.length; row++) {
    if (row > 0 && page[row] <= page[row - 1]) return `page ${page[row]} on a disk is out of order`;
    if (page[row] >= pageCount) return `page ${page[row]} on a disk is beyond the space`;
    if (disk[row] >= disks.length) {
      return `page ${page[row]} is on disk ${disk[row]}, there are ${disks.length}`;
    }
    if (offsetBytes[row] + pageSizeBytes > disks[disk[row]].sizeBytes) {
      return `page ${page[row]} is at byte ${offsetBytes[row]} of ${disks[disk[row]].name}, which ends before`;
    }
  }
  return undefined;
}

/** A reader that knows nothing of it would take the pages for zero, so the feature must be named. */
function notStoredProblem(
  { notStored = [] }: AddressSpace,
  { legend, requiredFeatures }: Manifest['header'],
): string | undefined {
  if (notStored.length > 0 && !requiredFeatures.includes(notStoredFeature)) {
    return `labels are not stored, but the feature ${notStoredFeature} is not required`;
  }
  const unnamed = notStored.find((label) => label >= legend.length);
  return unnamed === undefined
    ? undefined
    : `label ${unnamed} is not stored, the legend names ${legend.length}`;
}
