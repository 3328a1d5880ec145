// Gives a source that is read by image offset its guest-physical addresses.
import { ParsError } from '../pars-error.js';
import {
  type Gpa,
  type ImageExtent,
  type MemoryRegion,
  type PhysicalMemory,
  regionAt,
} from './physical-memory.js';

export class ImageView implements PhysicalMemory {
  readonly regions: readonly MemoryRegion[];
  readonly sizeBytes: number;
  readonly fd?: number;
  readonly dataAt?: (imageOffset: number) => ImageExtent | undefined;
  readonly storedAt?: (imageOffset: number) => ImageExtent | undefined;
  readonly #readImage: (imageOffset: number, target: Uint8Array) => void;

  constructor(
    regions: readonly MemoryRegion[],
    readImage: (imageOffset: number, target: Uint8Array) => void,
    fd?: number,
    dataAt?: (imageOffset: number) => ImageExtent | undefined,
    storedAt?: (imageOffset: number) => ImageExtent | undefined,
  ) {
    this.regions = regions;
    if (fd !== undefined) {
      this.fd = fd;
    }
    if (dataAt !== undefined) {
      this.dataAt = dataAt;
    }
    if (storedAt !== undefined) {
      this.storedAt = storedAt;
    }
    this.sizeBytes = regions.reduce((sum, region) => sum + region.sizeBytes, 0);
    this.#readImage = readImage;
  }

  read(gpa: Gpa, target: Uint8Array): boolean {
    const region = regionAt(this.regions, gpa);
    if (region === undefined) {
      return false;
    }
    const offset = gpa - region.gpaStart;
    if (offset + target.length > region.sizeBytes) {
      return false;
    }
    this.#readImage(region.imageOffset + offset, target);
    return true;
  }

  readImage(imageOffset: number, target: Uint8Array): void {
    if (imageOffset < 0 || imageOffset + target.length > this.sizeBytes) {
      throw new ParsError(
        'image-invalid',
        `expected to read within the image's ${this.sizeBytes} bytes, found ${target.length} bytes asked for at ${imageOffset}`,
      );
    }
    this.#readImage(imageOffset, target);
  }
}
