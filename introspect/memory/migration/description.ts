// The description of the devices, with which QEMU ends a migration stream:
//
//   0 | 6 | u32 length | JSON | the stream's end
import type { ImageFile } from '../image-file.js';
import { sectionTypes } from './layout.js';
import type { FileRange } from './types.js';

/** A description takes some ten kilobytes a CPU. */
const longestDescriptionBytes = 16 * 2 ** 20;
const headSizeBytes = 6;

/** Where the JSON stands in `rest`, the stream from the devices on; undefined when it does not end with one. */
export function findDescription(file: ImageFile, rest: FileRange): FileRange | undefined {
  const startOffset = Math.max(rest.startOffset, rest.endOffset - longestDescriptionBytes);
  const bytes = Buffer.allocUnsafe(rest.endOffset - startOffset);
  file.read(startOffset, bytes);
  const head = Buffer.of(sectionTypes.endOfFile, sectionTypes.description);
  for (let at = bytes.length; (at = bytes.lastIndexOf(head, at - 1)) > 0;) {
    const jsonAt = at + headSizeBytes;
    if (jsonAt < bytes.length && bytes.readUInt32BE(at + head.length) === bytes.length - jsonAt) {
      return { startOffset: startOffset + jsonAt, endOffset: rest.endOffset };
    }
  }
  return undefined;
}

/** Where the sections of devices end: at the byte before the description's head. */
export function devicesEnd(description: FileRange): number {
  return description.startOffset - headSizeBytes;
}
