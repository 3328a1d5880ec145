// Guest RAM as one raw file, as QEMU's memory-backend-file leaves it: the RAM block's bytes without any header.
//
// The file does not say where RAM lies. A PC leaves a hole below 4 GiB for devices; the file runs on across it, so
// above the hole the position in the file and the guest-physical address differ (qemu hw/i386/pc_q35.c, pc_piix.c).
// `rawFileLayouts` lists what QEMU's machines make of a size; the kernel found inside decides which one it was.
import { closeSync, fstatSync, openSync } from 'node:fs';
import { ParsError } from '../pars-error.js';
import { ImageView } from './image-view.js';
import { type MemoryRegion, pageSizeBytes, type PhysicalMemory } from './physical-memory.js';
import { readFully } from './read-fully.js';

const fourGiB = 2 ** 32;
/** Most low RAM any of QEMU's PC machines gives before it splits: microvm and i440fx below 3.5 GiB of RAM. */
const largestLowRamBytes = 3.5 * 2 ** 30;
/** Where RAM goes on above 4 GiB: low RAM of q35 (2 GiB), of i440fx and microvm (3 GiB). */
const splitLowRamBytes = [2 * 2 ** 30, 3 * 2 ** 30];

/** The ways a raw file of this size may map to guest-physical addresses, likeliest first. */
export function rawFileLayouts(sizeBytes: number): readonly (readonly MemoryRegion[])[] {
  const layouts: MemoryRegion[][] = [];
  if (sizeBytes <= largestLowRamBytes) {
    layouts.push([{ gpaStart: 0, sizeBytes, imageOffset: 0 }]);
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

/** An open raw RAM file. `view` gives it the addresses of one layout; closing the file ends every view. */
export class RawFile {
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number, sizeBytes: number) {
    this.#path = path;
    this.#fd = fd;
    this.sizeBytes = sizeBytes;
  }

  /** Throws `image-invalid` when there is no such file or its size is no whole number of pages. */
  static open(path: string): RawFile {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      throw new ParsError('image-invalid', `cannot open the image ${path}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    const stat = fstatSync(fd);
    const problem = !stat.isFile()
      ? 'expected a regular file'
      : stat.size === 0
        ? 'the file is empty'
        : stat.size % pageSizeBytes !== 0
          ? `its size of ${stat.size} bytes is no multiple of ${pageSizeBytes}; it may be truncated, or not raw RAM`
          : undefined;
    if (problem !== undefined) {
      closeSync(fd);
      throw new ParsError('image-invalid', `${path} is not a raw RAM image: ${problem}`);
    }
    return new RawFile(path, fd, stat.size);
  }

  view(regions: readonly MemoryRegion[]): PhysicalMemory {
    return new ImageView(
      regions,
      (imageOffset, target) => {
        this.#readImage(imageOffset, target);
      },
      this.#fd,
    );
  }

  close(): void {
    closeSync(this.#fd);
  }

  #readImage(imageOffset: number, target: Uint8Array): void {
    readFully(this.#fd, imageOffset, target, this.#path);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
