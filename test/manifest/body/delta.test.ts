// A base and what changed since, laid over each other, are the snapshot, whatever changed.
import * as fc from 'fast-check';
import { baseOf } from '../../../src/manifest/body/base.js';
import { decodeBody } from '../../../src/manifest/body/decode.js';
import { deltaOf } from '../../../src/manifest/body/delta.js';
import { encodeBody } from '../../../src/manifest/body/encode.js';
import { resolveBodies } from '../../../src/manifest/body/resolve.js';
import type { Body } from '../../../src/manifest/body/types.js';
import { findProblem } from '../../../src/manifest/check.js';
import { labelOf, placeOf } from '../../../src/manifest/space/place.js';
import type { AddressSpace, Manifest } from '../../../src/manifest/types.js';
import { MadeVm } from '../sample-chain.js';
import { plain } from '../written.js';

/** Through bytes, as a reader has it. */
function reread(body: Body): Body {
  return decodeBody(encodeBody(body), 1000);
}

function resolved({ header }: Manifest, bodies: readonly Body[]): Manifest {
  const manifest = { header, ...resolveBodies(bodies, header.packs) };
  expect(findProblem(manifest)).toBeUndefined();
  return manifest;
}

/** What is said of each page, in words that do not hang on how frames are numbered. */
function pagesOf({ header, frames }: Manifest, space: AddressSpace): readonly string[] {
  const pageCount = space.regions.reduce((sum, { sizeBytes }) => sum + sizeBytes / 4096, 0);
  return Array.from({ length: pageCount }, (_, page) => {
    const place = placeOf(space, page);
    const where =
      place.kind === 'stored'
        ? `${header.packs[frames.pack[place.frame]].name} ${frames.offset[place.frame]} ` +
          `${frames.identity[place.frame]} ${place.slot}`
        : place.kind;
    return `${labelOf(space, page)} ${where}`;
  });
}

function expectSameSnapshot(read: Manifest, manifest: Manifest): void {
  expect(read.spaces.map(({ name }) => name)).toEqual(manifest.spaces.map(({ name }) => name));
  read.spaces.forEach((space, index) => {
    const expected = manifest.spaces[index];
    expect(pagesOf(read, space)).toEqual(pagesOf(manifest, expected));
    const beside = (all: AddressSpace): unknown =>
      plain({ ...all, labelRuns: undefined, places: undefined });
    expect(beside(space)).toEqual(beside(expected));
  });
  // What nothing lies in any more is not there.
  expect(read.frames.pack.length).toBe(manifest.frames.pack.length);
}

test('any chain of changes is the snapshot that it was made from', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 8 }),
      (seed, pageCount, steps) => {
        const vm = new MadeVm(seed, pageCount);
        let before = vm.manifest();
        const bodies = [reread(baseOf(before))];
        expectSameSnapshot(resolved(before, bodies), before);
        for (const changedCount of steps) {
          vm.step(changedCount);
          const now = vm.manifest();
          bodies.push(reread(deltaOf(before, now)));
          expectSameSnapshot(resolved(now, bodies), now);
          before = now;
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('a chain that is folded is a base of the same snapshot', () => {
  const vm = new MadeVm(5, 200);
  let now = vm.manifest();
  const bodies = [baseOf(now)];
  for (let step = 0; step < 5; step++) {
    vm.step(30);
    const next = vm.manifest();
    bodies.push(deltaOf(now, next));
    now = next;
  }
  const folded = baseOf(resolved(now, bodies));
  expectSameSnapshot(resolved(now, [reread(folded)]), now);
});

test('where nothing changed a delta says next to nothing', () => {
  const vm = new MadeVm(6, 300);
  const manifest = vm.manifest();
  const delta = deltaOf(manifest, manifest);
  expect(delta.frames.pack.length).toBe(0);
  expect(delta.packNames).toEqual([]);
  expect(encodeBody(delta).length).toBeLessThan(400);
});

const vm = new MadeVm(7, 100);
const first = vm.manifest();
vm.step(10);
const second = vm.manifest();
const base = baseOf(first);
const delta = deltaOf(first, second);

test.each<[string, RegExp, readonly Body[]]>([
  ['no body', /expected a base/, []],
  ['a delta without a base', /expected a base/, [delta]],
  ['a second base', /expected a base/, [base, base]],
  [
    'a change of a space that was not there',
    /space disk-vdb changed, and was not there before/,
    [
      base,
      {
        ...delta,
        spaces: [
          ...delta.spaces,
          {
            is: 'changed',
            change: {
              name: 'disk-vdb',
              labels: emptyLabels(),
              places: { ...emptyPlaces() },
            },
          },
        ],
      },
    ],
  ],
  [
    'labels that change beyond the last page',
    /labels change beyond its 100 pages/,
    [
      base,
      withLabels({
        firstPage: Uint32Array.of(99),
        pageCount: Uint32Array.of(2),
        label: Uint8Array.of(0),
      }),
    ],
  ],
  [
    'labels that change out of order',
    /changed label run 1 is empty or out of order/,
    [
      base,
      withLabels({
        firstPage: Uint32Array.of(5, 5),
        pageCount: Uint32Array.of(1, 1),
        label: Uint8Array.of(0, 1),
      }),
    ],
  ],
  [
    'a place in a frame that no body has',
    /a place is in frame 999, there are/,
    [
      base,
      {
        ...delta,
        spaces: [
          {
            is: 'changed',
            change: {
              name: 'ram',
              labels: emptyLabels(),
              places: {
                window: Uint32Array.of(0),
                maskLow: Uint32Array.of(1),
                maskHigh: Uint32Array.of(0),
                frame: Uint32Array.of(999),
                slot: Uint8Array.of(0),
              },
            },
          },
        ],
      },
    ],
  ],
])('%s is refused', (_, message, bodies) => {
  expect(() => resolveBodies(bodies, second.header.packs)).toThrow(message);
});

function emptyLabels() {
  return { firstPage: new Uint32Array(), pageCount: new Uint32Array(), label: new Uint8Array() };
}

function emptyPlaces() {
  return {
    window: new Uint32Array(),
    maskLow: new Uint32Array(),
    maskHigh: new Uint32Array(),
    frame: new Uint32Array(),
    slot: new Uint8Array(),
  };
}

function withLabels(labels: ReturnType<typeof emptyLabels>): Body {
  return {
    ...delta,
    spaces: [{ is: 'changed', change: { name: 'ram', labels, places: emptyPlaces() } }],
  };
}
