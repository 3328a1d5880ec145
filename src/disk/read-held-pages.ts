// Puts back from the VM's disks what they were proven to hold when the snapshot was taken. Every page is held against its
// hash, so a disk of another moment, or another disk, gives no wrong byte.
import { setImmediate } from 'node:timers/promises';
import { type DiskHeldPages, heldHashOf } from '../../introspect/disk-held.js';
import { pageHash } from '../../introspect/page-hash.js';
import { readBytes, readInDiskOrder, rowsAtOnce } from './disk-order.js';
import type { GuestDisk } from './guest-disks.js';

export interface HeldPagesRequest {
  /** Matched by name; those that are not given hold nothing. */
  readonly disks: readonly GuestDisk[];
  readonly held: DiskHeldPages;
  /** Ascending: pages of the image. */
  readonly wantedPages: Uint32Array;
  /** Called for each page that is found, in the order of the disks; the bytes are the page's until it is done. */
  readonly onPage: (page: number, bytes: Buffer) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** The wanted pages that the disks do not hold (any more), ascending. Throws what `onPage` throws, and the signal's reason. */
export async function readHeldPages(request: HeldPagesRequest): Promise<Uint32Array> {
  const { disks, held, wantedPages, onPage, signal } = request;
  const { rows, missing } = rowsOf(wantedPages, held.page);
  const buffer = Buffer.allocUnsafe(readBytes);
  for (let first = 0; first < rows.length; first += rowsAtOnce) {
    const batch = rows.subarray(first, first + rowsAtOnce);
    for (const [index, { name }] of held.disks.entries()) {
      const onDisk = batch.filter((row) => held.disk[row] === index);
      const image = disks.find((disk) => disk.name === name)?.image;
      if (image === undefined) {
        onDisk.forEach((row) => missing.push(held.page[row]));
        continue;
      }
      for (const read of readInDiskOrder(image, onDisk, held.offsetBytes, buffer)) {
        for (const row of read.rows) {
          const bytes = read.bytesOf(row);
          if (bytes !== undefined && isHash(bytes, held, row)) {
            await onPage(held.page[row], bytes);
          } else {
            missing.push(held.page[row]);
          }
        }
        await setImmediate();
        signal?.throwIfAborted();
      }
    }
  }
  return Uint32Array.from(missing).sort();
}

function isHash(bytes: Uint8Array, held: DiskHeldPages, row: number): boolean {
  return Buffer.compare(pageHash(bytes), heldHashOf(held, row)) === 0;
}

/** Rows of `held` that have the wanted pages, and the wanted pages that no row has. Both columns ascend. */
function rowsOf(wanted: Uint32Array, held: Uint32Array) {
  const rows = new Uint32Array(wanted.length);
  const missing: number[] = [];
  let count = 0;
  let row = 0;
  for (const page of wanted) {
    while (row < held.length && held[row] < page) {
      row++;
    }
    if (row < held.length && held[row] === page) {
      rows[count++] = row;
    } else {
      missing.push(page);
    }
  }
  return { rows: rows.subarray(0, count), missing };
}
