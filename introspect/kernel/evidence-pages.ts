// Which pages the labels rest on: all that introspection read and believed. A page can't be evidence and be given up, or
// belong to a program: then the structures contradict each other, whoever made them up.
import {
  type Gpa,
  gpaOf,
  type MemoryRegion,
  pageSizeBytes,
  type Pfn,
  regionAt,
} from '../memory/physical-memory.js';

export class EvidencePages {
  readonly #regions: readonly MemoryRegion[];
  /** A bit for each page of the image, eight to a byte: set where it is evidence. */
  readonly #bits: Uint8Array;

  constructor(regions: readonly MemoryRegion[]) {
    this.#regions = regions;
    const pageCount = regions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / pageSizeBytes;
    this.#bits = new Uint8Array(Math.ceil(pageCount / 8));
  }

  /** Notes the pages of `sizeBytes` bytes from `gpa`, as far as they lie in one region. */
  add(gpa: Gpa, sizeBytes: number): void {
    const region = regionAt(this.#regions, gpa);
    if (region === undefined || sizeBytes <= 0) {
      return;
    }
    const start = region.imageOffset + gpa - region.gpaStart;
    const end = Math.min(start + sizeBytes, region.imageOffset + region.sizeBytes);
    const first = Math.floor(start / pageSizeBytes);
    const last = Math.floor((end - 1) / pageSizeBytes);
    for (let page = first; page <= last; page++) {
      this.#bits[page >> 3] |= 1 << (page & 7);
    }
  }

  /** The first frame of evidence whose label is none of `allowed` (1 by label number); undefined when there is none. */
  firstOutside(
    allowed: Uint8Array,
    labels: Uint8Array,
  ): { readonly pfn: Pfn; readonly label: number } | undefined {
    const bits = this.#bits;
    for (let index = 0; index < bits.length; index++) {
      for (let page = index * 8, left = bits[index]; left !== 0; page++, left >>= 1) {
        if ((left & 1) !== 0 && allowed[labels[page]] === 0) {
          const gpa = gpaOf(this.#regions, page * pageSizeBytes);
          return { pfn: gpa / pageSizeBytes, label: labels[page] };
        }
      }
    }
    return undefined;
  }
}
