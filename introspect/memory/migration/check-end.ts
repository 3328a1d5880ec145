// Whether a migration stream is whole. QEMU writes the description of the devices last, so that a stream with one was
// not cut short. Otherwise a restore would find it out, when the VM is gone.
import { ParsError } from '../../pars-error.js';
import type { ImageFile } from '../image-file.js';
import { findDescription } from './description.js';
import type { FileRange } from './types.js';

/** Throws `image-invalid` when `rest`, the stream from the devices on, does not end with their description. */
export function checkEnd(file: ImageFile, rest: FileRange): void {
  if (findDescription(file, rest) === undefined) {
    throw new ParsError(
      'image-invalid',
      `${file.path}: expected the description of the devices, with which QEMU ends a migration stream, ` +
        `found none before the file's end at ${rest.endOffset}: the migration was cut short, or the file is truncated; take it again`,
    );
  }
}
