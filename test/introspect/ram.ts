// Guest RAM in a buffer: what a test writes into it is what introspection reads.
import { ImageView } from '../../introspect/memory/image-view.js';
import type { Gpa, MemoryRegion, PhysicalMemory } from '../../introspect/memory/physical-memory.js';

export class Ram implements PhysicalMemory {
  /** In image order, so equal to guest-physical addresses while there is one region from 0. */
  readonly bytes: Buffer;
  readonly regions: readonly MemoryRegion[];
  readonly sizeBytes: number;
  /** Every `read` so far, by its address. */
  readonly readsAt: Gpa[] = [];
  readonly #view: ImageView;

  constructor(
    sizeBytes: number,
    regions: readonly MemoryRegion[] = [{ gpaStart: 0, sizeBytes, imageOffset: 0 }],
  ) {
    this.bytes = Buffer.alloc(sizeBytes);
    this.regions = regions;
    this.sizeBytes = sizeBytes;
    this.#view = new ImageView(regions, (imageOffset, target) => {
      this.bytes.copy(target, 0, imageOffset, imageOffset + target.length);
    });
  }

  read(gpa: Gpa, target: Uint8Array): boolean {
    this.readsAt.push(gpa);
    return this.#view.read(gpa, target);
  }

  readImage(imageOffset: number, target: Uint8Array): void {
    this.#view.readImage(imageOffset, target);
  }
}
