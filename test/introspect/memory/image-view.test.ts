// Addresses of a split RAM: guest-physical, frame number, place in the image.
import * as fc from 'fast-check';
import { ImageView } from '../../../introspect/memory/image-view.js';
import {
  endPfn,
  type MemoryRegion,
  pageIndexOf,
  pageSizeBytes,
} from '../../../introspect/memory/physical-memory.js';

/** Three runs of pages with holes before, between and after them. */
const regions: readonly MemoryRegion[] = [
  { gpaStart: 2 * pageSizeBytes, sizeBytes: 3 * pageSizeBytes, imageOffset: 0 },
  { gpaStart: 8 * pageSizeBytes, sizeBytes: pageSizeBytes, imageOffset: 3 * pageSizeBytes },
  { gpaStart: 2 ** 32, sizeBytes: 2 * pageSizeBytes, imageOffset: 4 * pageSizeBytes },
];

/** Writes each byte's place in the image, so that a read tells where it went. */
function viewOfPlaces(): ImageView {
  return new ImageView(regions, (imageOffset, target) => {
    target.forEach((_, at) => (target[at] = placeByte(imageOffset + at)));
  });
}
const placeByte = (imageOffset: number): number => (imageOffset ^ (imageOffset >> 8)) & 0xff;

const aroundARegion = fc
  .tuple(fc.constantFrom(...regions), fc.integer({ min: -9000, max: 16_000 }))
  .map(([region, distance]) => region.gpaStart + distance);

test('a read succeeds exactly when all its bytes lie in one region, and returns those bytes', () => {
  const view = viewOfPlaces();
  expect(view.sizeBytes).toBe(6 * pageSizeBytes);
  fc.assert(
    fc.property(aroundARegion, fc.integer({ min: 1, max: 9000 }), (gpa, length) => {
      const region = regions.find(
        ({ gpaStart, sizeBytes }) => gpa >= gpaStart && gpa + length <= gpaStart + sizeBytes,
      );
      const target = Buffer.alloc(length);
      expect(view.read(gpa, target)).toBe(region !== undefined);
      if (region !== undefined) {
        const from = region.imageOffset + gpa - region.gpaStart;
        expect(target[0]).toBe(placeByte(from));
        expect(target[length - 1]).toBe(placeByte(from + length - 1));
      }
    }),
  );
});

test.each([
  ['over the end of RAM', 2 ** 32 + 2 * pageSizeBytes - 8, 16],
  ['into the hole', 5 * pageSizeBytes - 1, 2],
  ['from before the first region', 2 * pageSizeBytes - 1, 2],
  ['at a negative address', -pageSizeBytes, 8],
])('a read %s fails', (_, gpa, length) => {
  expect(viewOfPlaces().read(gpa, Buffer.alloc(length))).toBe(false);
});

test('every page of the image has one frame, and frames in holes have no page', () => {
  const frames = [2, 3, 4, 8, 2 ** 20, 2 ** 20 + 1];
  expect(frames.map((pfn) => pageIndexOf(regions, pfn))).toEqual([0, 1, 2, 3, 4, 5]);
  for (const pfn of [-1, 0, 1, 5, 7, 9, 2 ** 20 - 1, 2 ** 20 + 2]) {
    expect(pageIndexOf(regions, pfn)).toBeUndefined();
  }
  expect(endPfn(regions)).toBe(2 ** 20 + 2);
});
