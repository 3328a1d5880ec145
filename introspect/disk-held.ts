// Pages whose bytes were found on a disk of the VM when its snapshot was taken: where they lie there, and how to tell
// that they still do. The bytes themselves are not kept.

/** A disk as the guest names it. */
export interface HeldDisk {
  /** `gendisk.disk_name`, such as vda. */
  readonly name: string;
  /** Of the image that the bytes were found in. */
  readonly sizeBytes: number;
}

/** Bytes of `DiskHeldPages.hash` for each page. */
export const heldHashBytes = 16;

/** Columns with a row per page, ascending by `page`. */
export interface DiskHeldPages {
  readonly disks: readonly HeldDisk[];
  /** Index of the page in the image of guest RAM. */
  readonly page: Uint32Array;
  /** Index into `disks`. */
  readonly disk: Uint8Array;
  /** Where the page's 4096 bytes begin on the disk. */
  readonly offsetBytes: Float64Array;
  /** The first `heldHashBytes` of the SHA-256 of the page's bytes, one after the other. */
  readonly hash: Uint8Array;
}
