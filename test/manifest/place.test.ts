import { labelOf, placeOf } from '../../src/manifest/place.js';
import { sampleManifest } from './sample-manifest.js';

const [ram] = sampleManifest.spaces;

test('a page is at the rank of its bit in the frame that holds it', () => {
  expect(placeOf(ram, 0)).toEqual({ kind: 'stored', pack: 0, offset: 32, length: 90_000, slot: 0 });
  expect(placeOf(ram, 5)).toMatchObject({ pack: 0, offset: 32, slot: 1 });
  expect(placeOf(ram, 63)).toMatchObject({ pack: 0, offset: 32, slot: 59 });
  expect(placeOf(ram, 64)).toMatchObject({ pack: 0, offset: 100_000, slot: 0 });
  expect(placeOf(ram, 129)).toMatchObject({ pack: 0, offset: 290_000, slot: 1 });
});

test('a page is found in the second frame of its window', () => {
  expect(placeOf(ram, 2)).toEqual({ kind: 'stored', pack: 1, offset: 32, length: 8000, slot: 0 });
  expect(placeOf(ram, 4)).toMatchObject({ pack: 1, slot: 2 });
});

test('a page in no frame is zero', () => {
  expect(placeOf(ram, 1)).toEqual({ kind: 'zero' });
  const bare = { ...ram, frames: { ...ram.frames, window: new Uint32Array() } };
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
