// Reads single pages from a disk in the order in which they lie there, neighbours together, whatever the order they are
// wanted in.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import type { DiskImage } from './disk-image.js';

/** Rows sorted at once: pages of 1 GiB. */
export const rowsAtOnce = 2 ** 18;
const rowBits = 18;
const sectorBytes = 512;
/** Bytes of a read, and of the one buffer. */
export const readBytes = 2 ** 20;
/** Reading on costs less than beginning anew. */
const gapBytes = 64 * 1024;

/** Pages that were read together. */
export interface DiskPages {
  readonly rows: Uint32Array;
  /** The bytes of a row's page, until the next read; undefined where the disk cannot be read or ends before. */
  bytesOf(row: number): Buffer | undefined;
}

/** `rows`: at most `rowsAtOnce` indices into `offsetBytes`, which says where each page's 4096 bytes begin. */
export function* readInDiskOrder(
  image: DiskImage,
  rows: Uint32Array,
  offsetBytes: Float64Array,
  buffer: Buffer,
): Generator<DiskPages> {
  const sorted = inDiskOrder(rows, offsetBytes);
  for (let first = 0; first < sorted.length;) {
    const startBytes = offsetBytes[sorted[first]];
    let endBytes = startBytes + pageSizeBytes;
    let end = first + 1;
    for (; end < sorted.length; end++) {
      const next = offsetBytes[sorted[end]];
      if (next > endBytes + gapBytes || next + pageSizeBytes > startBytes + buffer.length) {
        break;
      }
      endBytes = Math.max(endBytes, next + pageSizeBytes);
    }
    const wasRead = image.read(startBytes, buffer.subarray(0, endBytes - startBytes));
    yield {
      rows: sorted.subarray(first, end),
      bytesOf: (row) => {
        const within = wasRead ? offsetBytes[row] - startBytes : 0;
        const bytes = buffer.subarray(within, within + pageSizeBytes);
        // One bad sector must not cost its neighbours.
        return wasRead || image.read(offsetBytes[row], bytes) ? bytes : undefined;
      },
    };
    first = end;
  }
}

/** Sector and row in one number of 64 bits: numbers alone are sorted in place, without a call for each comparison. */
function inDiskOrder(rows: Uint32Array, offsetBytes: Float64Array): Uint32Array {
  const keys = new BigUint64Array(rows.length);
  const halves = new Uint32Array(keys.buffer);
  const sectorsPerHigh = 2 ** (32 - rowBits);
  rows.forEach((row, index) => {
    const sector = Math.floor(offsetBytes[row] / sectorBytes);
    halves[index * 2] = (sector % sectorsPerHigh) * 2 ** rowBits + index;
    halves[index * 2 + 1] = Math.floor(sector / sectorsPerHigh);
  });
  keys.sort();
  const sorted = new Uint32Array(rows.length);
  for (let index = 0; index < sorted.length; index++) {
    sorted[index] = rows[halves[index * 2] & (rowsAtOnce - 1)];
  }
  return sorted;
}
