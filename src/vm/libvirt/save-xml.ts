// The domain's XML within a file of `virsh save`.
import { readSaveHead } from '../../../introspect/memory/formats/libvirt-save.js';
import { ImageFile } from '../../../introspect/memory/image-file.js';
import { ParsError } from '../../../introspect/pars-error.js';

const xmlStart = Buffer.from('<domain');

/**
 * The XML of a save file, or of the device state that was taken from one. Throws `image-invalid` when the file is neither,
 * or not whole.
 */
export function readSaveXml(path: string): string {
  const file = ImageFile.open(path);
  try {
    const head = Buffer.from(readSaveHead(file)?.bytes ?? []);
    const startOffset = head.indexOf(xmlStart);
    if (startOffset < 0) {
      throw new ParsError(
        'image-invalid',
        `${path}: expected a file of virsh save with ${xmlStart.toString()} in its head, found none`,
      );
    }
    // A cookie of libvirt's own may follow.
    const endOffset = head.indexOf(0, startOffset);
    return head.subarray(startOffset, endOffset < 0 ? undefined : endOffset).toString('utf8');
  } finally {
    file.close();
  }
}
