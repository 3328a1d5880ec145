// Guest RAM that lies in a file piece by piece, as the container's headers or a map say.
import { ParsError } from '../pars-error.js';
import type { ImageFile } from './image-file.js';
import { ImageView } from './image-view.js';
import {
  type Gpa,
  type ImageExtent,
  type MemoryRegion,
  pageSizeBytes,
  type PhysicalMemory,
} from './physical-memory.js';

/** A run of guest RAM and where the file has its bytes. */
export interface FileExtent {
  /** Who says so, for messages: `program header 3`. */
  readonly name: string;
  readonly gpaStart: Gpa;
  readonly sizeBytes: number;
  readonly fileOffset: number;
  /** What the file has of it, from its start; the rest is zero. */
  readonly storedBytes: number;
}

/** What a manifest can describe (src/manifest/FORMAT.md): more could be labelled, not stored. */
export const maxExtentCount = 65_536;
const maxImageBytes = 2 ** 40;
/** Physical addresses of x86-64 have 52 bits. */
const gpaEnd = 2 ** 52;

interface PlacedExtent extends FileExtent {
  readonly imageOffset: number;
}

/**
 * Extents in any order. Throws `image-invalid` where they overlap, cut pages, or lie beyond the file's end.
 * `overlapRemedy` is what the user should do about the first of these.
 */
export function viewOfExtents(
  file: ImageFile,
  extents: readonly FileExtent[],
  overlapRemedy: string,
): PhysicalMemory {
  if (extents.length === 0) {
    throw invalid(file, 'it names no guest RAM at all');
  }
  if (extents.length > maxExtentCount) {
    throw new ParsError(
      'unsupported',
      `${file.path} names ${extents.length} runs of RAM, at most ${maxExtentCount} can be stored`,
    );
  }
  for (const extent of extents) {
    checkExtent(file, extent);
  }
  const placed = placeExtents(file, extents, overlapRemedy);
  const read = (imageOffset: number, target: Uint8Array): void => {
    readExtents(file, placed, imageOffset, target);
  };
  const isPlain = placed.every(
    ({ imageOffset, fileOffset, sizeBytes, storedBytes }) =>
      imageOffset === fileOffset && sizeBytes === storedBytes,
  );
  return new ImageView(
    regionsOf(placed),
    read,
    isPlain ? file.fd : undefined,
    (imageOffset) => dataAt(file, placed, imageOffset),
    isPlain ? undefined : (imageOffset) => storedAt(placed, imageOffset),
  );
}

function checkExtent(file: ImageFile, extent: FileExtent): void {
  const { name, gpaStart, sizeBytes, fileOffset, storedBytes } = extent;
  if (gpaStart % pageSizeBytes !== 0 || sizeBytes % pageSizeBytes !== 0 || sizeBytes === 0) {
    throw invalid(
      file,
      `${name}: expected whole pages of ${pageSizeBytes} bytes, found ${sizeBytes} bytes of RAM at ${hex(gpaStart)}`,
    );
  }
  if (gpaStart + sizeBytes > gpaEnd) {
    throw invalid(
      file,
      `${name}: expected RAM below ${hex(gpaEnd)}, found ${sizeBytes} bytes at ${hex(gpaStart)}`,
    );
  }
  if (storedBytes > sizeBytes) {
    throw invalid(
      file,
      `${name}: expected at most its ${sizeBytes} bytes of RAM in the file, found ${storedBytes}`,
    );
  }
  if (fileOffset + storedBytes > file.sizeBytes) {
    throw invalid(
      file,
      `${name}: expected ${storedBytes} bytes at offset ${fileOffset}, ` +
        `found the file's end at ${file.sizeBytes}; it may be truncated`,
    );
  }
}

/** In ascending order of address, one after the other in the image. */
function placeExtents(
  file: ImageFile,
  extents: readonly FileExtent[],
  overlapRemedy: string,
): readonly PlacedExtent[] {
  const placed: PlacedExtent[] = [];
  let imageOffset = 0;
  let end = 0;
  for (const extent of extents.toSorted((a, b) => a.gpaStart - b.gpaStart)) {
    if (extent.gpaStart < end) {
      const before = placed[placed.length - 1];
      throw invalid(
        file,
        `${extent.name}: expected RAM from ${hex(end)} on, where that of ${before.name} ends, ` +
          `found it to begin at ${hex(extent.gpaStart)}: they overlap; ${overlapRemedy}`,
      );
    }
    placed.push({ ...extent, imageOffset });
    imageOffset += extent.sizeBytes;
    end = extent.gpaStart + extent.sizeBytes;
  }
  if (imageOffset > maxImageBytes) {
    throw new ParsError(
      'unsupported',
      `${file.path} describes ${imageOffset} bytes of RAM, at most ${maxImageBytes} can be stored`,
    );
  }
  return placed;
}

/** Neighbours make one region, wherever the file has their bytes. */
function regionsOf(placed: readonly PlacedExtent[]): readonly MemoryRegion[] {
  const regions: MemoryRegion[] = [];
  for (const { gpaStart, sizeBytes, imageOffset } of placed) {
    const last = regions.at(-1);
    if (last !== undefined && last.gpaStart + last.sizeBytes === gpaStart) {
      regions[regions.length - 1] = { ...last, sizeBytes: last.sizeBytes + sizeBytes };
    } else {
      regions.push({ gpaStart, sizeBytes, imageOffset });
    }
  }
  return regions;
}

function readExtents(
  file: ImageFile,
  placed: readonly PlacedExtent[],
  imageOffset: number,
  target: Uint8Array,
): void {
  let done = 0;
  for (let index = indexAt(placed, imageOffset); done < target.length; index++) {
    const extent = placed[index];
    const within = imageOffset + done - extent.imageOffset;
    const count = Math.min(target.length - done, extent.sizeBytes - within);
    const storedCount = Math.min(Math.max(extent.storedBytes - within, 0), count);
    if (storedCount > 0) {
      file.read(extent.fileOffset + within, target.subarray(done, done + storedCount));
    }
    target.fill(0, done + storedCount, done + count);
    done += count;
  }
}

function dataAt(
  file: ImageFile,
  placed: readonly PlacedExtent[],
  fromOffset: number,
): ImageExtent | undefined {
  for (let index = indexAt(placed, fromOffset); index < placed.length; index++) {
    const { imageOffset, fileOffset, storedBytes } = placed[index];
    const within = Math.max(fromOffset - imageOffset, 0);
    const run = file.dataRunAt(fileOffset + within, fileOffset + storedBytes);
    if (run !== undefined) {
      const toImage = imageOffset - fileOffset;
      return {
        startOffset: Math.floor((run.startOffset + toImage) / pageSizeBytes) * pageSizeBytes,
        endOffset: Math.ceil((run.endOffset + toImage) / pageSizeBytes) * pageSizeBytes,
      };
    }
  }
  return undefined;
}

/** Beyond what the file has of an extent it is zero: a header of 56 bytes may state a terabyte of that. */
function storedAt(placed: readonly PlacedExtent[], fromOffset: number): ImageExtent | undefined {
  for (let index = indexAt(placed, fromOffset); index < placed.length; index++) {
    const { imageOffset, storedBytes } = placed[index];
    const startOffset = Math.max(fromOffset, imageOffset);
    const endOffset = imageOffset + Math.ceil(storedBytes / pageSizeBytes) * pageSizeBytes;
    if (startOffset < endOffset) {
      return { startOffset, endOffset };
    }
  }
  return undefined;
}

/** Index of the extent that holds the offset; the offset lies within the image. */
function indexAt(placed: readonly PlacedExtent[], imageOffset: number): number {
  let low = 0;
  let high = placed.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (placed[middle].imageOffset <= imageOffset) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

function invalid(file: ImageFile, problem: string): ParsError {
  return new ParsError('image-invalid', `${file.path}: ${problem}`);
}

function hex(gpa: Gpa): string {
  return `0x${gpa.toString(16)}`;
}
