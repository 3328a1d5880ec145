// What tells a frame from every other: 32 bits that the manifest keeps, and that the frame read must give. A frame can be whole
// and still be the wrong one, as when a pack was replaced by another of the same name.
//
// Of version 2 it is the frame's own CRC32C. A version 1 manifest kept no such thing, and its frames say which pages they
// hold, so there it is a checksum of that.
import { crc32c } from '@node-rs/crc32';

const place = Buffer.alloc(16);

/** The identity of a version 1 frame, from the index of its space, its window and its mask. */
export function identityOfV1(
  space: number,
  window: number,
  maskLow: number,
  maskHigh: number,
): number {
  place.writeUInt32LE(space, 0);
  place.writeUInt32LE(window, 4);
  place.writeUInt32LE(maskLow, 8);
  place.writeUInt32LE(maskHigh, 12);
  return crc32c(place);
}
