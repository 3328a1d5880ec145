// Where guest-physical bytes come from: the one interface that every source implements.
//
// Two ways to name a byte, which differ above the hole below 4 GiB:
//   gpa          guest-physical address, what the kernel and its page tables use
//   imageOffset  position in the image: the regions' bytes one after the other, in ascending gpa
// Reads are synchronous: introspection chases pointers.

export const pageSizeBytes = 4096;

/** A guest-physical address in bytes (52 bits at most, so a number holds it). */
export type Gpa = number & { readonly __brand?: 'Gpa' };
/** A page frame number: gpa / 4096. */
export type Pfn = number & { readonly __brand?: 'Pfn' };

/** A run of guest RAM without a hole. */
export interface MemoryRegion {
  readonly gpaStart: Gpa;
  readonly sizeBytes: number;
  /** Where the region begins in the image, in bytes: the sum of the sizes before it. */
  readonly imageOffset: number;
}

/** Positions in an image: from `startOffset` up to, not including, `endOffset`. */
export interface ImageExtent {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** A view of a source's bytes; who opened the source closes it. */
export interface PhysicalMemory {
  /**
   * Set where the image is a plain file: byte n of the image is byte n behind this descriptor, which belongs to the whole
   * process, so worker threads can read for themselves.
   */
  readonly fd?: number;
  /** Ascending by gpaStart, not overlapping, each a multiple of the page size. */
  readonly regions: readonly MemoryRegion[];
  /** Sum of the regions' sizes. */
  readonly sizeBytes: number;
  /** Fills `target` from `gpa`. False, with `target` unspecified, if any byte lies outside RAM. */
  read(gpa: Gpa, target: Uint8Array): boolean;
  /** Fills `target` from `imageOffset`. Throws `image-invalid` past the end or when the source fails. */
  readImage(imageOffset: number, target: Uint8Array): void;
  /**
   * The next whole pages, from the page at `imageOffset` on, that may hold anything but zeroes; undefined when none are
   * left. Where a source does not have it, all pages may.
   */
  dataAt?(imageOffset: number): ImageExtent | undefined;
  /**
   * The next whole pages, from the page at `imageOffset` on, that the container itself has bytes of: every other page is zero
   * by the container's own word, not by what a file system says of holes. Where a source does not have it, all pages may
   * hold something.
   */
  storedAt?(imageOffset: number): ImageExtent | undefined;
}

/** The region that holds the address. */
export function regionAt(regions: readonly MemoryRegion[], gpa: Gpa): MemoryRegion | undefined {
  let low = 0;
  let high = regions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (regions[middle].gpaStart <= gpa) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const region = regions.at(low - 1);
  return low > 0 && region !== undefined && gpa < region.gpaStart + region.sizeBytes
    ? region
    : undefined;
}

/** Index of the frame's page in the image, undefined when the image has no such frame. */
export function pageIndexOf(regions: readonly MemoryRegion[], pfn: Pfn): number | undefined {
  const gpa = pfn * pageSizeBytes;
  const region = regionAt(regions, gpa);
  return region === undefined
    ? undefined
    : (region.imageOffset + gpa - region.gpaStart) / pageSizeBytes;
}

/** Where the byte at `imageOffset`, which is in the image, lies in the guest. */
export function gpaOf(regions: readonly MemoryRegion[], imageOffset: number): Gpa {
  const region = regions.findLast((entry) => entry.imageOffset <= imageOffset) ?? regions[0];
  return region.gpaStart + imageOffset - region.imageOffset;
}

/** One past the highest frame of the image. */
export function endPfn(regions: readonly MemoryRegion[]): Pfn {
  const last = regions[regions.length - 1];
  return (last.gpaStart + last.sizeBytes) / pageSizeBytes;
}
