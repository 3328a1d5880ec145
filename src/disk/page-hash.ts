// How a page that a disk holds is known again: the first 16 bytes of the SHA-256 of its bytes.
import { hash } from 'node:crypto';
import { heldHashBytes } from '../../introspect/disk-held.js';

export function pageHash(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer').subarray(0, heldHashBytes);
}
