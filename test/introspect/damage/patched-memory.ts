// An image with some of its bytes replaced, or cut short, without a write to it.
import { ImageView } from '../../../introspect/memory/image-view.js';
import type {
  Gpa,
  ImageExtent,
  MemoryRegion,
  PhysicalMemory,
} from '../../../introspect/memory/physical-memory.js';

export interface Patch {
  /** Place in the image. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class PatchedMemory implements PhysicalMemory {
  readonly regions: readonly MemoryRegion[];
  readonly sizeBytes: number;
  /** Where they overlap, the later one counts. May be exchanged at any time. */
  patches: readonly Patch[] = [];
  /** Where a search through the image begins; spares the time where what is before is known to hold nothing. */
  searchFrom = 0;
  readonly #base: PhysicalMemory;
  readonly #view: ImageView;

  /** `sizeBytes`: where the image is cut off. */
  constructor(base: PhysicalMemory, sizeBytes = base.sizeBytes) {
    this.#base = base;
    this.sizeBytes = sizeBytes;
    this.regions = base.regions
      .filter(({ imageOffset }) => imageOffset < sizeBytes)
      .map((region) => ({
        ...region,
        sizeBytes: Math.min(region.sizeBytes, sizeBytes - region.imageOffset),
      }));
    this.#view = new ImageView(this.regions, (imageOffset, target) => {
      base.readImage(imageOffset, target);
      this.#apply(imageOffset, target);
    });
  }

  read(gpa: Gpa, target: Uint8Array): boolean {
    return this.#view.read(gpa, target);
  }

  readImage(imageOffset: number, target: Uint8Array): void {
    this.#view.readImage(imageOffset, target);
  }

  /** As the image's own: a patch in what it has as a hole would not be seen by who asks first. */
  dataAt(imageOffset: number): ImageExtent | undefined {
    const from = Math.max(imageOffset, this.searchFrom);
    const extent =
      this.#base.dataAt === undefined
        ? { startOffset: from, endOffset: this.sizeBytes }
        : this.#base.dataAt(from);
    return extent === undefined || extent.startOffset >= this.sizeBytes
      ? undefined
      : { ...extent, endOffset: Math.min(extent.endOffset, this.sizeBytes) };
  }

  #apply(imageOffset: number, target: Uint8Array): void {
    const end = imageOffset + target.length;
    for (const { offset, bytes } of this.patches) {
      const from = Math.max(offset, imageOffset);
      const to = Math.min(offset + bytes.length, end);
      if (to > from) {
        target.set(bytes.subarray(from - offset, to - offset), from - imageOffset);
      }
    }
  }
}
