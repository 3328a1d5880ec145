// What two pages must share to be taken for one: a hash that nobody can make two contents for, since the guest chooses its
// pages' bytes, and what is taken for one is stored once.
import { hash } from 'node:crypto';
import { heldHashBytes } from '../../introspect/disk-held.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';

/** The first half of SHA-256: 2^64 tries for two pages of one hash. As of pages that a disk holds, so the two can be compared. */
export const pageHashBytes = heldHashBytes;

/**
 * Writes the hashes of pages that lie one after the other to the beginning of `into`. As `pageHash` of introspect/page-hash.ts, but
 * by way of text: a Buffer for each hash takes a third of the hash's own time to make and to collect.
 */
export function hashPages(pages: Uint8Array, into: Uint8Array): void {
  const target = Buffer.from(into.buffer, into.byteOffset, into.length);
  const pageCount = pages.length / pageSizeBytes;
  for (let page = 0; page < pageCount; page++) {
    const content = pages.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes);
    const digest = hash('sha256', content, 'binary');
    target.write(digest, page * pageHashBytes, pageHashBytes, 'latin1');
  }
}
