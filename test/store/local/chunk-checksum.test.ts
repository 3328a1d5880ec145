// The checksum file as a format: the same for every way to hand the bytes in, and no change goes unnoticed.

import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { ParsError } from '../../../introspect/pars-error.js';
import {
  ChunkChecksummer,
  chunkSizeBytes,
  decodeChecksumFile,
  firstBadChunk,
} from '../../../src/store/local/chunk-checksum.js';

function encoded(pieces: readonly Uint8Array[]): Buffer {
  const checksummer = new ChunkChecksummer();
  for (const piece of pieces) {
    checksummer.update(piece);
  }
  return Buffer.from(checksummer.encode());
}

function numbered(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => index ^ (index >> 8));
}

describe('the checksum file', () => {
  it('has one CRC32C per 64 KiB, the last chunk being short', () => {
    const bytes = numbered(2 * chunkSizeBytes + 100);
    const checksums = decodeChecksumFile(encoded([bytes]), bytes.length, 'here');
    expect(checksums).toEqual([
      crc32c(bytes.subarray(0, chunkSizeBytes)),
      crc32c(bytes.subarray(chunkSizeBytes, 2 * chunkSizeBytes)),
      crc32c(bytes.subarray(2 * chunkSizeBytes)),
    ]);
    expect(decodeChecksumFile(encoded([]), 0, 'here')).toEqual([]);
  });

  it('is the same whatever pieces the bytes come in', () => {
    const bytes = numbered(3 * chunkSizeBytes + 1);
    const whole = encoded([bytes]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), (cuts) => {
        const edges = [0, ...cuts, bytes.length].sort((a, b) => a - b);
        const pieces = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        expect(encoded(pieces).equals(whole)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('finds the chunk in which a byte was changed', () => {
    const bytes = numbered(3 * chunkSizeBytes + 10);
    const checksums = decodeChecksumFile(encoded([bytes]), bytes.length, 'here');
    expect(firstBadChunk(checksums, 0, bytes)).toBeUndefined();
    expect(firstBadChunk(checksums, 2, bytes.subarray(2 * chunkSizeBytes))).toBeUndefined();
    const changed = Uint8Array.from(bytes);
    changed[3 * chunkSizeBytes + 9] ^= 1;
    expect(firstBadChunk(checksums, 0, changed)).toBe(3);
    expect(firstBadChunk(checksums, 2, changed.subarray(2 * chunkSizeBytes))).toBe(3);
  });

  it('that was changed or cut anywhere is refused', () => {
    const bytes = numbered(chunkSizeBytes + 10);
    const file = encoded([bytes]);
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(file);
        changed[at] ^= change;
        expect(() => decodeChecksumFile(changed, bytes.length, 'here')).toThrow(ParsError);
        const cut = file.subarray(0, at);
        expect(() => decodeChecksumFile(cut, bytes.length, 'here')).toThrow(/expected .* bytes/);
      }),
    );
  });

  it('of a file of another size is refused, though it has as many chunks', () => {
    expect(() => decodeChecksumFile(encoded([numbered(10)]), 11, 'here')).toThrow(/another file's/);
  });
});
