// How a page is known again, on a disk or among those that are stored: the first 16 bytes of the SHA-256 of its bytes. Nobody can
// make two contents for one such hash, and a guest chooses its pages' bytes.
import { hash } from 'node:crypto';
import { heldHashBytes } from './disk-held.js';

export function pageHash(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer').subarray(0, heldHashBytes);
}
