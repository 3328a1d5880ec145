// Gives a source that is read by image offset its guest-physical addresses.
import type { Gpa, MemoryRegion, PhysicalMemory } from './physical-memory.js';

export class ImageView implements PhysicalMemory {
  readonly regions: readonly MemoryRegion[];
  readonly sizeBytes: number;
  readonly fd?: number;
  readonly #readImage: (imageOffset: number, target: Uint8Array) => void;

  constructor(
    regions: readonly MemoryRegion[],
    readImage: (imageOffset: number, target: Uint8Array) => void,
    fd?: number,
  ) {
    this.regions = regions;
    if (fd !== undefined) {
      this.fd = fd;
    }
    this.sizeBytes = regions.reduce((sum, region) => sum + region.sizeBytes, 0);
    this.#readImage = readImage;
  }

  read(gpa: Gpa, target: Uint8Array): boolean {
    // Few regions, and a read hardly ever spans two: a plain search is the fast way.
    for (const region of this.regions) {
      const offset = gpa - region.gpaStart;
      if (offset >= 0 && offset + target.length <= region.sizeBytes) {
        this.#readImage(region.imageOffset + offset, target);
        return true;
      }
    }
    return false;
  }

  readImage(imageOffset: number, target: Uint8Array): void {
    this.#readImage(imageOffset, target);
  }
}
