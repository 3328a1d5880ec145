import { labelOf, placeOf } from '../../../src/manifest/space/place.js';
import { sampleRam as ram } from '../sample-manifest.js';

test('a page is at the rank of its bit in the frame that holds it', () => {
  expect(placeOf(ram, 0)).toEqual({ kind: 'stored', frame: 0, slot: 0 });
  expect(placeOf(ram, 5)).toMatchObject({ frame: 0, slot: 1 });
  expect(placeOf(ram, 63)).toMatchObject({ frame: 0, slot: 59 });
  expect(placeOf(ram, 64)).toMatchObject({ frame: 2, slot: 0 });
  expect(placeOf(ram, 129)).toMatchObject({ frame: 3, slot: 1 });
});

test('a page is found in the second place of its window', () => {
  expect(placeOf(ram, 2)).toEqual({ kind: 'stored', frame: 1, slot: 0 });
  expect(placeOf(ram, 4)).toMatchObject({ frame: 1, slot: 2 });
});

test('a page in no frame is zero', () => {
  expect(placeOf(ram, 1)).toEqual({ kind: 'zero' });
  const bare = { ...ram, places: { ...ram.places, window: new Uint32Array() } };
  expect(placeOf(bare, 64)).toEqual({ kind: 'zero' });
});

test('labels are found at both ends of their runs', () => {
  expect([0, 1, 2, 4, 5, 129].map((page) => labelOf(ram, page))).toEqual([0, 0, 2, 2, 0, 0]);
});

test.each([-1, 130, 0.5])('a page index of %d is outside the space', (page) => {
  expect(() => placeOf(ram, page)).toThrow(/space ram has 130 pages/);
  expect(() => labelOf(ram, page)).toThrow(/space ram has 130 pages/);
});

test('a page of a label that is not stored has no place, where others are zero', () => {
  const space = { ...ram, notStored: [labelOf(ram, 1)] };
  expect(placeOf(space, 1)).toEqual({ kind: 'not-stored' });
});

test('pages that follow each other in a frame are counted from where the first of them stands', () => {
  const space = { ...ram, places: { ...ram.places, slot: Uint8Array.of(0, 10, 0, 0) } };
  expect(placeOf(space, 4)).toEqual({ kind: 'stored', frame: 1, slot: 12 });
});
