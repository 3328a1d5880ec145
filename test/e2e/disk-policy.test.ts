// Pages that are stored as what the VM's disk holds, from the upload to the restore, on local disks: what it saves, what
// `verify` foretells, and that no wrong byte comes back from a wrong disk.
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';
import { loadManifest } from '../../src/catalog/catalog.js';
import { labelOf } from '../../src/manifest/space/place.js';
import { notStoredOf, ramOf } from '../../src/manifest/space/spaces.js';
import type { Manifest } from '../../src/manifest/types.js';
import { openStore } from '../../src/store/open-store.js';
import { fixtureGuest } from '../guest/fixtures.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import { restoreAnswer, uploadAnswer, verifyForecast } from './command-answers.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { differingPages } from './pages.js';
import { expectPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const setUpTimeoutMs = 300_000;
const dataLost = 9;

const proofAnswer = z.object({
  diskHeld: z.array(z.object({ label: z.string(), pageCount: z.int(), heldPageCount: z.int() })),
  notStored: z.object({ pageCount: z.int() }).optional(),
});

let folder: TemporaryFolder;
let store: LocalStoreFolder;
let guest: SnapshotFixture;

const pars = (exitCode: number, ...args: readonly string[]) =>
  expectPars(exitCode, [...args, '--json'], { storeUrl: store.url });

async function upload(policy: string): Promise<{ id: string; manifest: Manifest; json: unknown }> {
  const { json } = await pars(
    0,
    ...['upload', guest.ramPath, '--state', guest.statePath, '--name', 'vm'],
    ...['--policy', policy, '--disk', `vda=${guest.diskPath}`],
  );
  const { id } = uploadAnswer.parse(json);
  const opened = await openStore(store.url);
  try {
    return { id, manifest: await loadManifest(opened, id), json };
  } finally {
    await opened.close();
  }
}

function pagesLabelled(manifest: Manifest, label: PageLabel): number {
  return manifest.header.labelCounts[label] ?? 0;
}

/** As if the disks that had them had died. */
function destroySingleCopies({ header }: Manifest): void {
  for (const { name } of header.packs.filter(({ replication }) => replication === 1)) {
    store.copiesOf(name).forEach((path) => {
      rmSync(path);
    });
  }
}

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  store = new LocalStoreFolder(join(folder.path, 'store'));
  guest = await fixtureGuest('aged');
}, setUpTimeoutMs);

afterAll(() => folder.remove());

test('disk: mapped cache and cache with buffers is stored once, and comes back from the disk', async () => {
  const { id, manifest, json } = await upload('disk');
  const cache = proofAnswer.parse(json).diskHeld.find(({ label }) => label === 'file-clean');
  expect(cache?.heldPageCount).toBeGreaterThan(4000);
  expect(pagesLabelled(manifest, 'disk-held')).toBeGreaterThanOrEqual(cache?.heldPageCount ?? 0);
  destroySingleCopies(manifest);

  const { scenarios } = verifyForecast.parse((await pars(dataLost, 'verify', id)).json);
  expect(scenarios[0]).toMatchObject({ without: 'nothing', verdict: 'resumes-with-disk' });

  const refused = join(folder.path, 'without-disk');
  const restore = ['restore', id, '--out', refused];
  const outcome = await expectPars(dataLost, restore, { storeUrl: store.url });
  expect(outcome.stderr).toContain('give it with --disk');
  expect(existsSync(refused)).toBe(false);

  const out = join(folder.path, 'with-disk');
  const restored = await pars(0, 'restore', id, '--out', out, '--disk', guest.diskPath);
  const { healing } = restoreAnswer.parse(restored.json);
  expect(healing.unhealedPageCount).toBe(0);
  expect(healing.putBackPageCount).toBeGreaterThan(4000);
  expectHeldAsBefore(manifest, join(out, 'ram'));
});

test('lean: free pages and what the disk holds are in no pack, and every restore needs the disk', async () => {
  const { id, manifest, json } = await upload('lean');
  const left = ['free', 'free-pcp', 'offline', 'disk-held'] as const;
  const leftOutCount = left.reduce((sum, label) => sum + pagesLabelled(manifest, label), 0);
  expect(proofAnswer.parse(json).notStored?.pageCount).toBe(leftOutCount);
  expect(notStoredOf(ramOf(manifest))).toEqual(
    expect.arrayContaining([labelNumbers.free, labelNumbers['disk-held']]),
  );
  expect(pagesLabelled(manifest, 'disk-held')).toBeGreaterThan(30_000);

  const { scenarios, risks } = verifyForecast.parse((await pars(0, 'verify', id)).json);
  expect(scenarios[0].verdict).toBe('resumes-with-disk');
  expect(risks.map(({ kind }) => kind)).toContain('disk-not-stored');

  await pars(dataLost, 'restore', id, '--out', join(folder.path, 'lean-without'));
  const out = join(folder.path, 'lean-with');
  const restored = await pars(0, 'restore', id, '--out', out, '--disk', `vda=${guest.diskPath}`);
  const { healing } = restoreAnswer.parse(restored.json);
  expect(healing).toMatchObject({
    unhealedPageCount: 0,
    putBackPageCount: pagesLabelled(manifest, 'disk-held'),
  });
  expectHeldAsBefore(manifest, join(out, 'ram'));
});

test('a disk on which one byte has changed gives every page but the one, and that restore is refused', async () => {
  const { id, manifest } = await upload('lean');
  const diskHeld = ramOf(manifest)?.diskHeld;
  if (diskHeld === undefined) {
    throw new Error('no page is held by the disk');
  }
  const row = Math.floor(diskHeld.page.length / 2);
  const changed = join(folder.path, 'changed.img');
  copyFileSync(guest.diskPath, changed);
  const fd = openSync(changed, 'r+');
  writeSync(fd, 'changed', diskHeld.offsetBytes[row] + 100);
  closeSync(fd);

  const out = join(folder.path, 'changed');
  const refused = await pars(dataLost, 'restore', id, '--out', out, '--disk', changed);
  expect(restoreAnswer.parse(refused.json)).toMatchObject({
    ram: null,
    healing: {
      unhealedPageCount: 1,
      unhealed: [
        {
          firstPage: diskHeld.page[row],
          pageCount: 1,
          label: 'disk-held',
          why: expect.stringContaining('no disk image') as unknown,
        },
      ],
    },
  });
  expect(readdirSync(out)).toEqual([]);
  const allowed = [...['restore', id, '--out', out, '--disk', changed], '--allow-lost'];
  await pars(dataLost, ...allowed);
  const { pages } = differingPages(guest.ramPath, join(out, 'ram'));
  const held = pages.filter(
    (page) => labelOf(manifest.spaces[0], page) === labelNumbers['disk-held'],
  );
  expect(held).toEqual([diskHeld.page[row]]);
});

/** What differs from the guest's memory is free, or cache that the guest reads again, or the flags of that. */
function expectHeldAsBefore(manifest: Manifest, ramPath: string): void {
  const { pages } = differingPages(guest.ramPath, ramPath);
  const labels = new Set(pages.map((page) => labelOf(manifest.spaces[0], page)));
  const mayDiffer = ['free', 'free-pcp', 'offline', 'file-reread', 'reserved'] as const;
  expect(mayDiffer.map((label) => labelNumbers[label])).toEqual(
    expect.arrayContaining([...labels]),
  );
}
