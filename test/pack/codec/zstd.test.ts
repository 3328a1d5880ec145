// The codec: exactly the pages come back, or an error.
import * as fc from 'fast-check';
import { zstdAt } from '../../../src/pack/codec/zstd.js';
import { noisePage, type PageKind, samplePage } from '../sample-pages.js';

const pageKinds = fc.array(fc.constantFrom<PageKind>('zero', 'noise', 'repeat'), {
  minLength: 1,
  maxLength: 64,
});
const pagesOf = (kinds: readonly PageKind[]): Buffer =>
  Buffer.concat(kinds.map((kind, index) => samplePage(kind, index + 1)));

test('what is packed unpacks to itself, at any level, and is shorter', () => {
  fc.assert(
    fc.property(pageKinds, fc.integer({ min: 1, max: 19 }), (kinds, level) => {
      const pages = pagesOf(kinds);
      const into = Buffer.alloc(pages.length);
      const storedBytes = zstdAt(level).pack(pages, into);
      if (storedBytes === undefined) {
        expect(new Set(kinds)).toEqual(new Set(['noise']));
        return;
      }
      expect(storedBytes).toBeLessThan(pages.length);
      const unpacked = Buffer.alloc(pages.length, 255);
      zstdAt(1).unpack(into.subarray(0, storedBytes), unpacked);
      expect(unpacked.equals(pages)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('noise is not packed', () => {
  expect(zstdAt(9).pack(noisePage(1), Buffer.alloc(4096))).toBeUndefined();
});

test('a frame of fewer or more bytes than its header says is an error', () => {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x0f]);
  const repeated = (isLast: boolean, sizeBytes: number): Buffer => {
    const block = Buffer.alloc(4, 7);
    block.writeUIntLE((isLast ? 1 : 0) | (1 << 1) | (sizeBytes << 3), 0, 3);
    return block;
  };
  const into = Buffer.alloc(4096);
  const unpack = (...blocks: Buffer[]) => {
    zstdAt(1).unpack(Buffer.concat([header, ...blocks]), into);
  };
  unpack(repeated(false, 96), repeated(true, 4000));
  expect(into.equals(Buffer.alloc(4096, 7))).toBe(true);
  expect(() => {
    unpack(repeated(true, 4095));
  }).toThrow();
  expect(() => {
    unpack(repeated(false, 1), repeated(true, 4096));
  }).toThrow();
  // A gibibyte of blocks of 128 KiB could not be told from the header; it ends at the first byte too many.
  expect(() => {
    unpack(...Array.from({ length: 8192 }, () => repeated(false, 4096)), repeated(true, 4096));
  }).toThrow();
});
