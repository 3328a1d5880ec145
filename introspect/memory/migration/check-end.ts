// Whether a migration stream is whole. QEMU writes the description of the devices last, so that a stream with one was
// not cut short. Otherwise a restore would find it out, when the VM is gone.
import { ParsError } from '../../pars-error.js';
import type { ImageFile } from '../image-file.js';
import { findDescription } from './description.js';
import { sectionTypes } from './layout.js';
import type { FileRange } from './types.js';

const footerBytes = 5;
/** QEMU numbers sections from 0. */
const sectionLimit = 2 ** 16;

/**
 * Throws `image-invalid` when `rest`, the stream from the devices on, does not end with their description; `unsupported`
 * when it looks like one that was written without.
 */
export function checkEnd(file: ImageFile, rest: FileRange): void {
  if (findDescription(file, rest) !== undefined) {
    return;
  }
  if (endsWithDevice(file, rest)) {
    throw new ParsError(
      'unsupported',
      `${file.path}: the stream ends with a device and no description of the devices follows: the machine has suppress-vmdesc=on, ` +
        'or the file was cut right there, and nothing shows that the stream is whole; take it again with -machine suppress-vmdesc=off',
    );
  }
  throw new ParsError(
    'image-invalid',
    `${file.path}: expected the description of the devices, with which QEMU ends a migration stream, ` +
      `found none before the file's end at ${file.sizeBytes}, nor before the zeroes there: the migration was cut short, ` +
      'the file is truncated, or something else follows the stream; take it again',
  );
}

/**
 * A footer and the mark of the end, which is a zero as those are that may follow it. Zeroes at the end of the footer's
 * number are taken for some of them.
 */
function endsWithDevice(file: ImageFile, { startOffset, endOffset }: FileRange): boolean {
  for (let at = Math.max(startOffset, endOffset - footerBytes); at < endOffset; at++) {
    if (at + footerBytes < file.sizeBytes) {
      const footer = Buffer.alloc(footerBytes);
      file.read(at, footer);
      if (footer[0] === sectionTypes.footer && footer.readUInt32BE(1) < sectionLimit) {
        return true;
      }
    }
  }
  return false;
}
