// Whether a migration stream is whole. The devices cannot be read, but QEMU writes a description of them last:
//
//   0 | 6 | u32 length | JSON | the file's end
//
// A device state that is cut short would be found out by a restore only, when the VM is gone.
import { ParsError } from '../../pars-error.js';
import type { ImageFile } from '../image-file.js';
import { sectionTypes } from './layout.js';
import type { FileRange } from './types.js';

/** A description takes some hundred kilobytes. */
const longestDescriptionBytes = 16 * 2 ** 20;
const headSizeBytes = 6;

/** Throws `image-invalid` when `rest`, the stream from the devices on, does not end with their description. */
export function checkEnd(file: ImageFile, rest: FileRange): void {
  const startOffset = Math.max(rest.startOffset, rest.endOffset - longestDescriptionBytes);
  const bytes = Buffer.allocUnsafe(rest.endOffset - startOffset);
  file.read(startOffset, bytes);
  const head = Buffer.of(sectionTypes.endOfFile, sectionTypes.description);
  for (let at = bytes.length; (at = bytes.lastIndexOf(head, at - 1)) > 0;) {
    const jsonAt = at + headSizeBytes;
    if (jsonAt < bytes.length && bytes.readUInt32BE(at + head.length) === bytes.length - jsonAt) {
      return;
    }
  }
  throw new ParsError(
    'image-invalid',
    `${file.path}: expected the description of the devices, with which QEMU ends a migration stream, ` +
      `found none before the file's end at ${rest.endOffset}: the migration was cut short, or the file is truncated; take it again`,
  );
}
