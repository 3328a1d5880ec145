// Guest RAM as one raw file, as QEMU's memory-backend-file leaves it: the RAM block's bytes without any header.
//
// The file does not say where RAM lies. A PC leaves a hole below 4 GiB for devices; the file runs on across it, so
// above the hole the position in the file and the guest-physical address differ (qemu hw/i386/pc_q35.c, pc_piix.c).
// A map beside the file says it (region-map.ts). Without one, `rawFileLayouts` lists what QEMU's machines make of a
// size; the kernel found inside decides which one it was.
import { ParsError } from '../../pars-error.js';
import { viewOfExtents } from '../file-extents.js';
import { ImageFile, imageOfFile } from '../image-file.js';
import type { ImageOpener, MemoryImage, OpenOptions } from '../memory-image.js';
import { type MemoryRegion, pageSizeBytes, type PhysicalMemory } from '../physical-memory.js';
import { extentsOfMap, findRegionMap, mapRemedy } from './region-map.js';

const fourGiB = 2 ** 32;
/** Most low RAM any of QEMU's PC machines gives before it splits: microvm and i440fx below 3.5 GiB of RAM. */
const largestLowRamBytes = 3.5 * 2 ** 30;
/** Where RAM goes on above 4 GiB: low RAM of q35 (2 GiB), of i440fx and microvm (3 GiB). */
const splitLowRamBytes = [2 * 2 ** 30, 3 * 2 ** 30];

export const rawOpener: ImageOpener = {
  format: 'raw',
  takesMap: true,
  // Nothing to know it by.
  recognises: () => false,
  open: openRawFile,
};

/** The ways a raw file of this size may map to guest-physical addresses, likeliest first. */
export function rawFileLayouts(sizeBytes: number): readonly (readonly MemoryRegion[])[] {
  const layouts: (readonly MemoryRegion[])[] = [];
  if (sizeBytes <= largestLowRamBytes) {
    layouts.push(layoutByAddress(sizeBytes));
  }
  for (const lowBytes of splitLowRamBytes) {
    if (sizeBytes > lowBytes) {
      layouts.push([
        { gpaStart: 0, sizeBytes: lowBytes, imageOffset: 0 },
        { gpaStart: fourGiB, sizeBytes: sizeBytes - lowBytes, imageOffset: lowBytes },
      ]);
    }
  }
  return layouts;
}

/** Every byte at its own address, the hole among them: what QEMU's `pmemsave 0 SIZE FILE` writes. */
export function layoutByAddress(sizeBytes: number): readonly MemoryRegion[] {
  return [{ gpaStart: 0, sizeBytes, imageOffset: 0 }];
}

/** Throws `image-invalid` when there is no such file or its size is no whole number of pages. */
export function openRawFile(path: string, options: OpenOptions = {}): MemoryImage {
  const map = findRegionMap(path, options.mapPath);
  return ImageFile.openAs(path, (file) =>
    map === undefined
      ? {
          ...imageOfFile('raw', file, viewsOfLayouts(file, rawFileLayouts(wholePages(file)))),
          viewAt: (regions) => viewsOfLayouts(file, [regions])[0],
        }
      : imageOfFile('raw', file, [
          viewOfExtents(file, extentsOfMap(map, file.sizeBytes), mapRemedy),
        ]),
  );
}

/** The views of a file that is nothing but RAM, one for each layout. */
export function viewsOfLayouts(
  file: ImageFile,
  layouts: readonly (readonly MemoryRegion[])[],
): readonly PhysicalMemory[] {
  return layouts.map((regions) =>
    viewOfExtents(
      file,
      regions.map(({ gpaStart, sizeBytes, imageOffset }) => ({
        name: 'the file',
        gpaStart,
        sizeBytes,
        fileOffset: imageOffset,
        storedBytes: sizeBytes,
      })),
      mapRemedy,
    ),
  );
}

/** The file's size. Throws `image-invalid` when it ends within a page. */
export function wholePages({ path, sizeBytes }: ImageFile): number {
  if (sizeBytes % pageSizeBytes !== 0) {
    throw new ParsError(
      'image-invalid',
      `${path} is not a raw RAM image: its size of ${sizeBytes} bytes is no multiple of ${pageSizeBytes}; ` +
        'it may be truncated, or not raw RAM',
    );
  }
  return sizeBytes;
}
