// Marks of evidence, over images in one region and in several, against a plain set.
import * as fc from 'fast-check';
import { EvidencePages } from '../../../introspect/kernel/evidence-pages.js';

const pageBytes = 4096;
/** A hole of 64 pages between two runs of RAM. */
const regions = [
  { gpaStart: 0, sizeBytes: 40 * pageBytes, imageOffset: 0 },
  { gpaStart: 104 * pageBytes, sizeBytes: 30 * pageBytes, imageOffset: 40 * pageBytes },
];
const pageCount = 70;
const pfnOf = (page: number): number => (page < 40 ? page : page + 64);
const allowed = Uint8Array.of(1, 0);

test('the first page of evidence with another label is found, wherever it lies', () => {
  const piece = fc.record({
    page: fc.nat(pageCount - 1),
    offset: fc.nat(pageBytes - 1),
    sizeBytes: fc.nat(3 * pageBytes),
  });
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 5 }),
      fc.uint8Array({ minLength: pageCount, maxLength: pageCount, max: 1 }),
      (pieces, labels) => {
        const evidence = new EvidencePages(regions);
        const marked = new Set<number>();
        for (const { page, offset, sizeBytes } of pieces) {
          evidence.add(pfnOf(page) * pageBytes + offset, sizeBytes);
          const end = page < 40 ? 40 : pageCount;
          const last = Math.floor((page * pageBytes + offset + sizeBytes - 1) / pageBytes);
          for (let at = page; sizeBytes > 0 && at <= last && at < end; at++) {
            marked.add(at);
          }
        }
        const first = [...marked].sort((a, b) => a - b).find((page) => labels[page] === 1);
        expect(evidence.firstOutside(allowed, labels)).toEqual(
          first === undefined ? undefined : { pfn: pfnOf(first), label: 1 },
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('what is not in the RAM is no evidence', () => {
  const evidence = new EvidencePages(regions);
  evidence.add(50 * pageBytes, pageBytes);
  evidence.add(2 ** 40, pageBytes);
  expect(evidence.firstOutside(allowed, new Uint8Array(pageCount).fill(1))).toBeUndefined();
});
