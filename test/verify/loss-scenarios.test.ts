// What would be lost with a node, and whether the guest would resume: held against a model that asks page by page.

import fc from 'fast-check';
import { disksToBeGiven } from '../../src/loss/disks-to-be-given.js';
import { countPages, sumPages } from '../../src/loss/pages-by-label.js';
import { notStoredOf } from '../../src/manifest/space/spaces.js';
import type { RamSpace, SnapshotFrames } from '../../src/manifest/types.js';
import type { BlockPlaces } from '../../src/store/block-state.js';
import type { FileCopies } from '../../src/verify/file-copies.js';
import { type LossInput, lossScenarios } from '../../src/verify/loss-scenarios.js';
import {
  diskBeside,
  packCount,
  type PlacedDisk,
  type RandomSpace,
  randomSpace,
  windowPageCount,
} from '../manifest/random-space.js';
import { healingFacts } from '../restore/healing-facts.js';

/** Random spaces have as many labels and packs; the last of both are those of a disk. */
const legend = ['free', 'file-reread', 'anon', 'disk-held', 'disk'];
const ways: Readonly<Record<string, 'filling' | 'rereading' | 'disk' | undefined>> = {
  free: 'filling',
  'file-reread': 'rereading',
  'disk-held': 'disk',
};
/** Only that there are some counts. */
const placesOnDisk = {
  disks: [{ name: 'vda', sizeBytes: 4096 }],
  page: Uint32Array.of(0),
  disk: Uint8Array.of(0),
  offsetBytes: Float64Array.of(0),
  hash: new Uint8Array(16),
};
const diskPack = packCount - 1;
const nodes = ['a', 'b', 'c', 'd'];

/** A block kept in copies, or in units of which any so many are enough. */
const block: fc.Arbitrary<BlockPlaces> = fc.record({
  locations: fc.subarray(nodes),
  unreachable: fc.constant([]),
  coding: fc.option(
    fc.record({
      dataUnitCount: fc.integer({ min: 1, max: 3 }),
      parityUnitCount: fc.integer({ min: 1, max: 2 }),
    }),
    { nil: undefined },
  ),
});
const blocks = fc.array(block, { maxLength: 3 });
/** No pack is empty: it has a header of its own. */
const packBlocks = fc.array(block, { minLength: 1, maxLength: 3 });
const file = (name: string): fc.Arbitrary<FileCopies> =>
  fc.record({
    name: fc.constant(name),
    replication: fc.integer({ min: 1, max: 3 }),
    blocks: packBlocks,
  });

interface Case {
  readonly input: LossInput;
  readonly random: RandomSpace;
  /** The frames of RAM and of the disk. */
  readonly frames: SnapshotFrames;
  readonly damagedFrames: ReadonlySet<number>;
  /** Undefined where the snapshot has none. */
  readonly disk: PlacedDisk | undefined;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    random: randomSpace,
    packs: fc.tuple(file('0'), file('1'), file('2'), file('3')),
    diskPageCount: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
    roles: fc.subarray(['state', 'machine']),
    besideBlocks: fc.tuple(blocks, blocks, blocks, blocks),
    isDamaged: fc.func(fc.boolean()),
    notStored: fc.subarray([0, 3]),
    hasFacts: fc.boolean(),
    hasPlaces: fc.boolean(),
    /** Counts where there is a disk: without either there is no snapshot. */
    hasRam: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  })
  .map(({ random, packs, roles, besideBlocks, isDamaged, notStored, ...drawn }) => {
    const { diskPageCount, hasFacts, hasPlaces, hasRam } = drawn;
    const ram: RamSpace = {
      ...withoutPages(random, notStored),
      notStored,
      healing: hasFacts ? healingFacts : undefined,
      diskHeld: hasPlaces ? placesOnDisk : undefined,
    };
    const disk =
      diskPageCount === undefined
        ? undefined
        : diskBeside(random.frames, diskPack, diskPageCount, legend.indexOf('disk'));
    const { frames } = disk ?? random;
    const damagedFrames = new Set([...frames.pack.keys()].filter((frame) => isDamaged(frame)));
    const space = disk === undefined || hasRam ? ram : undefined;
    const spaces = [
      ...(space === undefined ? [] : [space]),
      ...(disk === undefined ? [] : [disk.disk]),
    ];
    const header = {
      legend,
      attachments: roles.map((role) => ({
        role,
        name: role,
        sizeBytes: 1,
        sha256: new Uint8Array(32),
      })),
    };
    const beside = [...roles, 'body', 'manifest'].map((role, index) => ({
      role,
      name: role,
      replication: 3,
      blocks: besideBlocks[index],
    }));
    const count = (isCounted: (frame: number) => boolean) =>
      sumPages(
        spaces.map((counted) => countPages(counted, frames, packCount, legend.length, isCounted)),
      );
    const input = {
      header,
      space,
      disksToBeGiven: disksToBeGiven(spaces),
      packs,
      beside,
      pages: count(() => true),
      damagedPages: count((frame) => damagedFrames.has(frame)),
    };
    return { input, random, frames, damagedFrames, disk };
  });

/** Pages of labels that are not stored lie in no frame. */
function withoutPages({ space, labels }: RandomSpace, notStored: readonly number[]): RamSpace {
  const { places } = space;
  const cut = (mask: Uint32Array, from: number): Uint32Array =>
    mask.map((bits, place) => {
      const start = places.window[place] * windowPageCount + from;
      return Array.from({ length: 32 }, (_, bit) => bit)
        .filter((bit) => notStored.includes(labels[start + bit]))
        .reduce((left, bit) => left & ~(1 << bit), bits);
    });
  return {
    ...space,
    places: { ...places, maskLow: cut(places.maskLow, 0), maskHigh: cut(places.maskHigh, 32) },
  };
}

function neededOf(coding: BlockPlaces['coding']): number {
  if (coding === 'unknown') {
    throw new Error('expected a code that is known');
  }
  return coding?.dataUnitCount ?? 1;
}

/** A code with parity is never only one copy. */
function isKeptOnce({ replication, blocks: own }: FileCopies): boolean {
  return replication === 1 && own.some(({ coding }) => coding === undefined);
}

/** One page after the other, and every copy looked at. */
function modelOf(
  { input, random, frames, damagedFrames, disk }: Case,
  isGone: (node: string, file: FileCopies) => boolean,
) {
  const isLost = (copies: FileCopies): boolean =>
    copies.blocks.some(
      ({ locations, coding }) =>
        locations.filter((node) => !isGone(node, copies)).length < neededOf(coding),
    );
  const lostByLabel: Record<string, number> = {};
  const healed = { filling: 0, rereading: 0, disk: 0 };
  let unhealed = 0;
  const isFrameLost = (frame: number): boolean =>
    damagedFrames.has(frame) || isLost(input.packs[frames.pack[frame]]);
  const { space } = input;
  const labelsOfRam = space === undefined ? [] : random.labels;
  labelsOfRam.forEach((number, page) => {
    const frame = random.frameOfPage[page];
    const isPageLost =
      notStoredOf(space).includes(number) || (frame !== undefined && isFrameLost(frame));
    if (!isPageLost) {
      return;
    }
    const label = legend[number];
    lostByLabel[label] = (lostByLabel[label] ?? 0) + 1;
    const way = ways[label];
    const needed = way === 'disk' ? space?.diskHeld : space?.healing;
    if (way === undefined || needed === undefined) {
      unhealed++;
    } else {
      healed[way]++;
    }
  });
  for (const frame of disk?.frameOfPage ?? []) {
    if (isFrameLost(frame)) {
      lostByLabel['disk'] = (lostByLabel['disk'] ?? 0) + 1;
      unhealed++;
    }
  }
  const lostFiles = input.beside.filter(isLost).map(({ role }) => role);
  const hasState = input.header.attachments.some(({ role }) => role === 'state');
  const needed = ['state', 'body', 'manifest'];
  const cannot = unhealed > 0 || !hasState || needed.some((role) => lostFiles.includes(role));
  return {
    lostByLabel,
    lostPageCount: Object.values(lostByLabel).reduce((sum, count) => sum + count, 0),
    healedPageCounts: healed,
    unhealedPageCount: unhealed,
    lostFiles: lostFiles.sort(),
    verdict: cannot
      ? 'does-not-resume'
      : healed.disk > 0 && disk === undefined
        ? 'resumes-with-disk'
        : 'resumes',
  };
}

test('every scenario is what a look at each page and each copy finds', () => {
  fc.assert(
    fc.property(cases, (drawn) => {
      const { packs, beside } = drawn.input;
      const holding = nodes.filter((node) =>
        [...packs, ...beside].some((copies) =>
          copies.blocks.some(({ locations }) => locations.includes(node)),
        ),
      );
      const expected = [
        { without: 'nothing', node: null, ...modelOf(drawn, () => false) },
        ...holding.map((node) => ({
          without: 'node',
          node,
          ...modelOf(drawn, (name) => name === node),
        })),
        {
          without: 'single-copies',
          node: null,
          ...modelOf(drawn, (_, copies) => packs.includes(copies) && isKeptOnce(copies)),
        },
      ];
      const found = lossScenarios(drawn.input);
      expect(
        found.map((scenario) => ({
          without: scenario.without,
          node: scenario.node,
          lostByLabel: scenario.lostByLabel,
          lostPageCount: scenario.lostPageCount,
          healedPageCounts: scenario.healedPageCounts,
          unhealedPageCount: scenario.unhealedPageCount,
          lostFiles: [...scenario.lostFiles].sort(),
          verdict: scenario.verdict,
        })),
      ).toEqual(expected);
      for (const { verdict, reasons, unhealed, unhealedPageCount } of found) {
        expect(reasons.length > 0).toBe(verdict === 'does-not-resume');
        expect(unhealed.reduce((sum, { pageCount }) => sum + pageCount, 0)).toBe(unhealedPageCount);
      }
    }),
  );
});
