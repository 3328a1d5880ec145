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
  if (swap) {
    Buffer.from(copy.buffer).swap32();
  }
  return new Uint32Array(copy.buffer);
}

/** Each number, whole and below 2^53, as u64. */
export function bytesOfWideColumn(column: ArrayLike<number>): Uint8Array {
  const bytes = Buffer.alloc(column.length * 8);
  for (let index = 0; index < column.length; index++) {
    bytes.writeBigUInt64LE(BigInt(column[index]), index * 8);
  }
  return bytes;
}

/** A new column; what does not fit 53 bits is not exact. `bytes` must be a multiple of 8 long. */
export function wideColumnOfBytes(bytes: Uint8Array): Float64Array {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float64Array.from({ length: bytes.length / 8 }, (_, index) =>
    Number(view.readBigUInt64LE(index * 8)),
  );
}
