// Each risk is told when it is one, and a snapshot as it should be has none.

import { disksToBeGiven } from '../../src/loss/disks-to-be-given.js';
import { countPages } from '../../src/loss/pages-by-label.js';
import type { DiskSpace, RamSpace } from '../../src/manifest/types.js';
import { reedSolomon } from '../../src/store/redundancy.js';
import type { FileCopies } from '../../src/verify/file-copies.js';
import { lossScenarios } from '../../src/verify/loss-scenarios.js';
import { type RiskInput, snapshotRisks } from '../../src/verify/snapshot-risks.js';
import { blocksOn } from '../restore/blocks-on.js';
import { healingFacts } from '../restore/healing-facts.js';

const everywhere = ['a', 'b', 'c'];

interface Told {
  /** Ten pages of each: label, and what its pack is. */
  readonly packs?: readonly (Partial<FileCopies> & { readonly label: string })[];
  readonly state?: readonly string[];
  readonly manifest?: readonly string[];
  readonly evidence?: string;
  readonly space?: Partial<RamSpace>;
  /** Stored with RAM. */
  readonly storedDisks?: readonly string[];
  readonly copiesComeLater?: boolean;
}

const pagesEach = 10;
const anon = { label: 'anon', replication: 3, blocks: blocksOn(everywhere) };
const free = { label: 'free', replication: 1, blocks: blocksOn(['b']) };
const reread = { label: 'file-reread', replication: 1, blocks: blocksOn(['c']) };
const held = { label: 'disk-held', replication: 1, blocks: blocksOn(['c']) };
const diskHeld = {
  disks: [
    { name: 'vda', sizeBytes: 1 << 30 },
    { name: 'vdb', sizeBytes: 4096 },
  ],
  page: Uint32Array.of(64),
  disk: Uint8Array.of(0),
  offsetBytes: Float64Array.of(0),
  hash: new Uint8Array(16),
};

/** A window for each pack, of which the first pages are its own. */
function risksOf(told: Told) {
  const { state = everywhere, manifest = everywhere } = told;
  const packs: NonNullable<Told['packs']> = told.packs ?? [anon, free];
  const { storedDisks = [] } = told;
  const legend = [...new Set([...packs.map(({ label }) => label), 'disk-held', 'unknown'])];
  const runs = packs.flatMap(({ label }, index) => [
    { label, firstPage: index * 64, pageCount: pagesEach },
    { label: 'unknown', firstPage: index * 64 + pagesEach, pageCount: 64 - pagesEach },
  ]);
  const column = (value: (index: number) => number) => Uint32Array.from(packs.keys(), value);
  const frames = { pack: column((index) => index) };
  const space: RamSpace = {
    kind: 'ram',
    name: 'ram',
    pageSizeBytes: 4096,
    regions: [{ start: 0, sizeBytes: packs.length * 64 * 4096 }],
    labelRuns: {
      label: Uint8Array.from(runs, ({ label }) => legend.indexOf(label)),
      firstPage: Uint32Array.from(runs, ({ firstPage }) => firstPage),
      pageCount: Uint32Array.from(runs, ({ pageCount }) => pageCount),
    },
    places: {
      window: column((index) => index),
      maskLow: column(() => 2 ** pagesEach - 1),
      maskHigh: column(() => 0),
      frame: column((index) => index),
      slot: new Uint8Array(packs.length),
    },
    healing: healingFacts,
    ...told.space,
  };
  const input: RiskInput = {
    header: {
      legend,
      evidence: told.evidence ?? 'complete',
      attachments:
        state.length === 0
          ? []
          : [{ role: 'state', name: 'state', sizeBytes: 1, sha256: new Uint8Array(32) }],
    },
    space,
    storedDisks,
    disksToBeGiven: disksToBeGiven([
      space,
      ...storedDisks.map((name): DiskSpace => ({
        kind: 'disk',
        name: `disk-${name}`,
        pageSizeBytes: 4096,
        regions: space.regions,
        labelRuns: space.labelRuns,
        places: space.places,
        disk: { name, sourcePath: name, sourceFormat: 'raw', sizeBytes: 4096 },
      })),
    ]),
    packs: packs.map(({ label, replication = 3, code, blocks = blocksOn(everywhere) }) => ({
      name: `pack-${label}`,
      replication,
      code,
      blocks,
    })),
    beside: [
      ...(state.length === 0
        ? []
        : [{ role: 'state', name: 'state', replication: 3, blocks: blocksOn(state) }]),
      { role: 'manifest', name: 'manifest', replication: 3, blocks: blocksOn(manifest) },
    ],
    pages: countPages(space, frames, packs.length, legend.length),
    damagedPages: countPages(space, frames, packs.length, legend.length, () => false),
    copiesComeLater: told.copiesComeLater ?? true,
  };
  return snapshotRisks(input, lossScenarios(input));
}

/** A block in units of a code. */
function coded(
  dataUnitCount: number,
  parityUnitCount: number,
  locations: readonly string[],
): FileCopies['blocks'] {
  return [{ locations, unreachable: [], coding: { dataUnitCount, parityUnitCount } }];
}

test('units of a code that can lose two nodes are as good as three copies', () => {
  const blocks = coded(3, 2, ['a', 'b', 'c', 'd', 'e']);
  expect(risksOf({ packs: [{ label: 'anon', replication: 1, blocks }] })).toEqual([]);
});

const nine = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];

test.each([
  ['in the code that was asked for', coded(6, 3, nine)],
  ['in the code, short of units', coded(6, 3, nine.slice(1))],
  ['in a block too short for all data units', coded(2, 3, nine.slice(0, 5))],
  ['lost', coded(6, 3, [])],
])('a pack of a code that is kept %s is not kept otherwise', (_, blocks) => {
  const packs = [{ label: 'anon', replication: 4, code: reedSolomon(6, 3), blocks }];
  expect(risksOf({ packs }).map(({ kind }) => kind)).not.toContain('code-not-kept');
});

test.each([
  ['in copies', blocksOn(everywhere)],
  ['in another code', coded(3, 2, ['a', 'b', 'c', 'd', 'e'])],
])('a pack that was written in RS-6-3 and is kept %s is named', (_, blocks) => {
  const packs = [{ label: 'anon', replication: 4, code: reedSolomon(6, 3), blocks }];
  const risk = risksOf({ packs }).find(({ kind }) => kind === 'code-not-kept');
  expect(risk?.sentence).toMatch(
    /pack-anon was written in an erasure code and is kept in another way/,
  );
});

test('copies in place of a code that four would be worth are few', () => {
  const packs = [
    { label: 'anon', replication: 4, code: reedSolomon(6, 3), blocks: blocksOn(everywhere) },
  ];
  expect(risksOf({ packs }).map(({ kind }) => kind)).toContain('few-copies-alive');
});

test('critical pages on three nodes, free pages on one, device state: no risk', () => {
  expect(risksOf({})).toEqual([]);
});

const cases: readonly (readonly [name: string, kind: string, told: Told, says: RegExp])[] = [
  [
    'a code that the store does not name',
    'redundancy-unknown',
    {
      packs: [{ ...anon, blocks: [{ locations: everywhere, unreachable: [], coding: 'unknown' }] }],
    },
    /pack-anon .*does not say/,
  ],
  [
    'labels in doubt',
    'evidence-incomplete',
    { evidence: 'no kernel was found' },
    /no kernel was found/,
  ],
  ['RAM alone', 'no-device-state', { state: [] }, /--state/],
  [
    'expendable pages that nothing heals',
    'no-healing-facts',
    {
      packs: [anon, { ...free, blocks: blocksOn(['b'], ['c', 'b']) }],
      space: { healing: undefined },
    },
    /10 expendable pages/,
  ],
  [
    'cache that may have to be read again',
    'reread-from-disk',
    { packs: [anon, reread] },
    /^if its single copies go, the guest reads 10 pages/,
  ],
  [
    'cache that has to be',
    'reread-from-disk',
    { packs: [anon, { ...reread, blocks: blocksOn([]) }] },
    /^10 pages of file cache are lost/,
  ],
  [
    'pages kept once that a disk holds too',
    'disk-stored-once',
    { packs: [anon, held], space: { diskHeld } },
    /^if .* 10 pages .* vda \(1073741824 bytes\) as it was .*--disk$/,
  ],
  [
    'a policy of two copies',
    'few-copies-wanted',
    { packs: [{ ...anon, replication: 2, blocks: blocksOn(['a', 'b']) }, free] },
    /1 of 1 packs .*as low as 2/,
  ],
  [
    'a code with little parity',
    'few-copies-wanted',
    { packs: [{ ...anon, blocks: coded(2, 1, ['a', 'b', 'c']) }, free] },
    /1 of 1 packs .*as low as 2/,
  ],
  [
    'a code with a unit missing',
    'few-copies-alive',
    { packs: [{ ...anon, blocks: coded(3, 2, ['a', 'b', 'c', 'd']) }, free] },
    /^pack-anon .* 2 live copies, or what is worth as many, are left/,
  ],
  [
    'a pack with a copy missing',
    'few-copies-alive',
    { packs: [{ ...anon, blocks: blocksOn(['a', 'b']) }, free] },
    /^pack-anon .* 2 live copies, or what is worth as many, are left; let the store/,
  ],
  [
    'a manifest with a copy missing where none comes back by itself',
    'few-copies-alive',
    { manifest: ['a', 'b'], copiesComeLater: false },
    /^manifest .*upload it again/,
  ],
];

test.each(cases)('%s: %s', (_, kind, told, says) => {
  const risks = risksOf(told);
  const found = risks.filter((risk) => risk.kind === kind);
  expect(found).toEqual([{ kind, sentence: expect.stringMatching(says) as string }]);
});

test('pages that a disk stored with them holds too are no risk, and cache is read again from that disk', () => {
  const packs = [anon, held];
  expect(risksOf({ packs, space: { diskHeld }, storedDisks: ['vda'] })).toEqual([]);
  const other = risksOf({ packs, space: { diskHeld }, storedDisks: ['vdb'] });
  expect(other.map(({ kind }) => kind)).toEqual(['disk-stored-once']);
  const [again] = risksOf({ packs: [anon, reread], storedDisks: ['vda'] });
  expect(again).toEqual({
    kind: 'reread-from-disk',
    sentence: expect.stringMatching(/resume on what is restored of vda/) as string,
  });
});

test('the only copy of the device state on one node is a risk of its own', () => {
  const risks = risksOf({ state: ['a'] });
  expect(risks.map(({ kind }) => kind)).toEqual(['few-copies-alive', 'single-node']);
  expect(risks[1].sentence).toMatch(/^the loss of one node .*: a;/);
});

test('what is lost already is told by the scenarios, not as a risk', () => {
  expect(risksOf({ packs: [{ ...anon, blocks: blocksOn([]) }, free] })).toEqual([]);
});

test('every node that alone would cost the guest is counted, not all are named', () => {
  const single = ['a', 'b', 'c', 'd', 'e'].map((node) => ({ ...anon, blocks: blocksOn([node]) }));
  const risk = risksOf({ packs: single }).find(({ kind }) => kind === 'single-node');
  expect(risk?.sentence).toMatch(/: a, b, c and 2 more;/);
});

test('what a disk holds and the policy left out must be given back by a disk', () => {
  const risks = risksOf({
    packs: [anon],
    space: {
      diskHeld,
      notStored: [1],
      labelRuns: {
        label: Uint8Array.of(0, 1),
        firstPage: Uint32Array.of(0, pagesEach),
        pageCount: Uint32Array.of(pagesEach, 64 - pagesEach),
      },
    },
  });
  expect(risks).toEqual([
    {
      kind: 'disk-not-stored',
      sentence: expect.stringMatching(
        /^54 pages are not stored.* vda \(1073741824 bytes\)/,
      ) as string,
    },
  ]);
  expect(risks[0].sentence).not.toContain('vdb');
});
