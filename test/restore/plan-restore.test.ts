// What a restore writes where, and when it refuses: decided without a store or a disk.
import { join } from 'node:path';
import type { LostPacks } from '../../src/loss/loss-reason.js';
import type { Manifest } from '../../src/manifest/types.js';
import { nothingHealed } from '../../src/restore/heal/healing.js';
import {
  foreseenOutcome,
  isRefused,
  memoryRead,
  namesGiven,
  namesNeeded,
  planRestore,
  settled,
  spacesRead,
} from '../../src/restore/plan-restore.js';
import type { RestoreRequest } from '../../src/restore/restore-request.js';
import {
  sampleDisk,
  sampleManifest,
  sampleRam,
  sampleWithDisk,
} from '../manifest/sample-manifest.js';
import { healingFacts } from './healing-facts.js';

const folder = '/out';
const at = (name: string): string => join(folder, name);

const withoutState: Manifest = {
  ...sampleManifest,
  header: { ...sampleManifest.header, attachments: [] },
};
const disksAlone: Manifest = { ...sampleWithDisk, spaces: [sampleDisk] };

function planOf(manifest: Manifest, request: Partial<RestoreRequest> = {}) {
  return planRestore({ manifest, folder, ...request });
}

test.each<[string, Manifest, Partial<RestoreRequest>, readonly string[], readonly string[]]>([
  ['RAM and state', sampleManifest, {}, ['ram', 'state'], ['state', 'ram']],
  ['RAM alone', withoutState, {}, ['ram'], ['ram']],
  [
    'a disk beside them',
    sampleWithDisk,
    {},
    ['ram', 'state', 'disk-vda.img'],
    ['disk-vda.img', 'state', 'ram'],
  ],
  ['the disk left out', sampleWithDisk, { withoutDisks: true }, ['ram', 'state'], ['state', 'ram']],
  ['no RAM', disksAlone, {}, ['state', 'disk-vda.img'], ['disk-vda.img', 'state']],
  [
    'a stream',
    sampleWithDisk,
    { format: 'libvirt-save' },
    ['libvirt-save', 'disk-vda.img'],
    ['disk-vda.img', 'libvirt-save'],
  ],
])('%s: names are needed, and given in the end', (_, manifest, request, needed, given) => {
  const plan = planOf(manifest, request);
  expect(namesNeeded(plan)).toEqual(needed.map(at));
  const memory = settled(plan.memory, () => {
    throw new Error('the state was asked, although nothing is open');
  });
  expect(namesGiven(memory, plan.disks)).toEqual(given.map(at));
});

test.each([
  [true, 'files', ['state', 'ram']],
  [false, 'stream', ['migration']],
] as const)('resumable, with the RAM elsewhere %s, becomes %s', (isElsewhere, kind, given) => {
  const plan = planOf(sampleManifest, { format: 'resumable' });
  expect(namesNeeded(plan)).toEqual(['ram', 'state', 'migration'].map(at));
  const memory = settled(plan.memory, ({ path }) => {
    expect(path).toBe(at('state'));
    return isElsewhere;
  });
  expect(memory.kind).toBe(kind);
  expect(namesGiven(memory, plan.disks)).toEqual(given.map(at));
});

test.each(['raw', 'resumable', 'migration', 'libvirt-save'] as const)(
  'as %s the same is read of the store',
  (format) => {
    const plan = planOf(sampleWithDisk, { format });
    expect(spacesRead(plan)).toEqual([sampleRam, sampleDisk]);
    const { ram, state } = memoryRead(plan.memory);
    expect(ram).toMatchObject({ path: at('ram'), sizeBytes: sampleWithDisk.header.imageSizeBytes });
    expect(state).toMatchObject({ path: at('state'), attachment: { role: 'state' } });
    expect(plan.disks).toMatchObject([
      { path: at('disk-vda.img'), sizeBytes: sampleDisk.disk.sizeBytes },
    ]);
  },
);

test.each(['resumable', 'migration', 'libvirt-save'] as const)(
  'as %s nothing is restored that lacks RAM or device state',
  (format) => {
    expect(() => planOf(withoutState, { format })).toThrow(
      `this snapshot cannot be restored as ${format}: it has no device state; restore it as raw`,
    );
    expect(() => planOf(disksAlone, { format })).toThrow(
      `this snapshot cannot be restored as ${format}: it has no RAM; restore it as raw`,
    );
  },
);

/** All RAM with one label, which no kernel's facts and no disk are missing to heal. */
function allOf(label: string): Manifest {
  const { header, frames } = sampleWithDisk;
  const diskHeld = {
    disks: [{ name: 'vdb', sizeBytes: 4096 }],
    page: Uint32Array.of(0),
    disk: Uint8Array.of(0),
    offsetBytes: Float64Array.of(0),
    hash: new Uint8Array(16),
  };
  return {
    header: {
      ...header,
      legend: header.legend.map((other) => (other === 'disk' ? other : label)),
    },
    frames,
    spaces: [{ ...sampleRam, healing: healingFacts, diskHeld }, sampleDisk],
  };
}

const lostRam: LostPacks = new Map([[0, 'lost']]);
const lostDisk: LostPacks = new Map([[2, 'unreachable']]);
const disk = { name: 'vdb' } as NonNullable<RestoreRequest['disks']>[number];

test.each<[string, Manifest, Partial<RestoreRequest>, LostPacks, RegExp | undefined]>([
  ['nothing lost', allOf('anon'), {}, new Map(), undefined],
  ['critical pages', allOf('anon'), {}, lostRam, /^pages labelled anon are critical$/],
  ['free pages', allOf('free'), {}, lostRam, undefined],
  ['not to be healed', allOf('free'), { noHeal: true }, lostRam, /^healing was not wanted$/],
  ['held by a disk', allOf('disk-held'), {}, lostRam, /only the disk vdb .*: give it with --disk$/],
  ['and it is given', allOf('disk-held'), { disks: [disk] }, lostRam, undefined],
])('pages of RAM, %s: what nothing heals refuses', (_, manifest, request, lostPacks, why) => {
  const asked = { manifest, folder, ...request };
  const outcome = foreseenOutcome(asked, planRestore(asked), lostPacks);
  expect(outcome.lost.length > 0).toBe(lostPacks.size > 0);
  expect(outcome.lostOnDisks).toEqual([]);
  const reasons = [...new Set(outcome.healing.unhealed.map((run) => run.why))];
  expect(reasons).toEqual(why === undefined ? [] : [expect.stringMatching(why) as unknown]);
  expect(outcome.healing).toEqual({ ...nothingHealed, unhealed: outcome.healing.unhealed });
  expect(isRefused({ allowLost: false }, outcome)).toBe(why !== undefined);
  expect(isRefused({ allowLost: true }, outcome)).toBe(false);
});

test('a lost disk refuses, unless that is allowed or the disk is left out', () => {
  const asked = { manifest: allOf('free'), folder };
  const outcome = foreseenOutcome(asked, planRestore(asked), lostDisk);
  expect(outcome).toMatchObject({
    lost: [],
    lostOnDisks: [
      {
        name: 'vda',
        lost: [
          { firstPage: 0, pageCount: 1, reason: 'unreachable' },
          { firstPage: 64, pageCount: 6, reason: 'unreachable' },
        ],
      },
    ],
    healing: nothingHealed,
  });
  expect(isRefused({ allowLost: false }, outcome)).toBe(true);
  expect(isRefused({ allowLost: true }, outcome)).toBe(false);

  const without = { ...asked, withoutDisks: true };
  const others = foreseenOutcome(without, planRestore(without), lostDisk);
  expect(others).toEqual({ lost: [], lostOnDisks: [], healing: nothingHealed });
  expect(isRefused({ allowLost: false }, others)).toBe(false);
});

test('where the disk that holds pages was stored, it must be restored with them', () => {
  const { header, frames, spaces } = allOf('disk-held');
  const [ram] = spaces;
  if (ram.kind !== 'ram' || ram.diskHeld === undefined) {
    throw new Error('no RAM');
  }
  const diskHeld = { ...ram.diskHeld, disks: [{ name: 'vda', sizeBytes: 4096 }] };
  const manifest: Manifest = { header, frames, spaces: [{ ...ram, diskHeld }, sampleDisk] };
  for (const withoutDisks of [false, true]) {
    const asked = { manifest, folder, withoutDisks };
    const { healing } = foreseenOutcome(asked, planRestore(asked), lostRam);
    expect([...new Set(healing.unhealed.map((run) => run.why))]).toEqual(
      withoutDisks
        ? [expect.stringMatching(/restore it with its disks, or give it with --disk$/) as unknown]
        : [],
    );
  }
});
