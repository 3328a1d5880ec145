// Typed arrays to little-endian bytes and back. A column inside a file is not aligned, so reading copies.
import { endianness } from 'node:os';

const swap = endianness() === 'BE';

/** A view of the column's own memory where the host is little-endian. */
export function bytesOfColumn(column: Uint32Array): Uint8Array {
  const bytes = Buffer.from(column.buffer, column.byteOffset, column.byteLength);
  return swap ? Buffer.from(bytes).swap32() : bytes;
}

/** A new column. `bytes` must be a multiple of 4 long. */
export function columnOfBytes(bytes: Uint8Array): Uint32Array {
  const copy = new Uint8Array(bytes);
  if (swap) Buffer.from(copy.buffer).swap32();
  return new Uint32Array(copy.buffer);
}
