// Where a migration stream ends in its file. A stream may lie in a volume that is larger (Proxmox VE keeps the state of a VM
// so): zeroes follow it then. Its own last byte is no zero, but the end of a text.
import type { ImageFile } from '../image-file.js';

const stepBytes = 2 ** 20;

/** One past the last byte at or after `startOffset` that is not zero; `startOffset` where there is none. */
export function streamEnd(file: ImageFile, startOffset: number): number {
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(stepBytes, file.sizeBytes - startOffset)));
  for (let end = file.sizeBytes; end > startOffset;) {
    const from = Math.max(startOffset, end - stepBytes);
    const piece = bytes.subarray(0, end - from);
    file.read(from, piece);
    const last = piece.findLastIndex((byte) => byte !== 0);
    if (last >= 0) {
      return from + last + 1;
    }
    end = from;
  }
  return startOffset;
}
