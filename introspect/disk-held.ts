// Pages whose bytes were found on a disk of the VM when its snapshot was taken: where they lie there, and how to tell
// that they still do. The bytes themselves are not kept.

/** A disk as the guest names it. */
export interface HeldDisk {
  /** `gendisk.disk_name`, such as vda. */
  readonly name: string;
  /** The size of the image that the bytes were found in. */
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

/** The hash of a row. */
export function heldHashOf({ hash }: Pick<DiskHeldPages, 'hash'>, row: number): Uint8Array {
  return hash.subarray(row * heldHashBytes, (row + 1) * heldHashBytes);
}

/** Some rows alone, in the order in which they are named. */
export function pickHeldRows(held: DiskHeldPages, rows: Uint32Array): DiskHeldPages {
  const hash = new Uint8Array(rows.length * heldHashBytes);
  rows.forEach((row, index) => {
    hash.set(heldHashOf(held, row), index * heldHashBytes);
  });
  return {
    disks: held.disks,
    page: rows.map((row) => held.page[row]),
    disk: Uint8Array.from(rows, (row) => held.disk[row]),
    offsetBytes: Float64Array.from(rows, (row) => held.offsetBytes[row]),
    hash,
  };
}
