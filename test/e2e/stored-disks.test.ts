// Disks stored with a snapshot, by the command line on local disks: from the upload to the deletion, with a pack lost, and
// as the source of what a guest's memory has in common with them.

import {
  closeSync,
  existsSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { labelNumbers } from '../../introspect/page-class.js';
import { loadManifest } from '../../src/catalog/catalog.js';
import { labelOf } from '../../src/manifest/space/place.js';
import type { Manifest } from '../../src/manifest/types.js';
import { openStore } from '../../src/store/open-store.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { testInWhole } from '../slice.js';
import {
  deleteAnswer,
  restoreAnswer,
  showAnswer,
  uploadAnswer,
  verifyAnswer,
  verifyForecast,
} from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { differingPages } from './pages.js';
import { expectPars, runPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const setUpTimeoutMs = 300_000;
const usage = 2;
const dataLost = 9;
const noKernel = 20;
const sparseBytes = 2 ** 30;
const dataBytes = 2 ** 20;

const disksAnswer = z.object({
  disks: z.array(z.object({ name: z.string(), sizeBytes: z.int(), storedBytes: z.int() })),
});
const plannedAnswer = z.object({
  disks: z.array(z.object({ name: z.string(), sizeBytes: z.int(), plannedBytes: z.int() })),
});
const restoredAnswer = z.object({
  disks: z.array(
    z.object({
      name: z.string(),
      path: z.string(),
      sourcePath: z.string(),
      sourceFormat: z.string(),
    }),
  ),
});

let folder: TemporaryFolder;
let store: LocalStoreFolder;
let image: string;
/** No multiple of a page. */
let oddDisk: string;
let sparseDisk: string;

const pars = (exitCode: number, ...args: readonly string[]) =>
  expectPars(exitCode, [...args, '--json'], { storeUrl: store.url });
const uploadArguments = () => [
  ...['upload', image, '--name', 'vm', '--with-disks'],
  ...['--disk', `vda=${oddDisk}`, '--disk', `vdb=${sparseDisk}`],
];

async function manifestOf(id: string): Promise<Manifest> {
  const opened = await openStore(store.url);
  try {
    return await loadManifest(opened, id);
  } finally {
    await opened.close();
  }
}

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  store = new LocalStoreFolder(join(folder.path, 'store'));
  image = join(folder.path, 'noise');
  makeRandomImage(image, 2);
  oddDisk = join(folder.path, 'odd.img');
  makeRandomImage(oddDisk, 1);
  writeFileSync(oddDisk, 'the end', { flag: 'a' });
  sparseDisk = join(folder.path, 'sparse.img');
  makeRandomImage(sparseDisk, dataBytes / 2 ** 20);
  truncateSync(sparseDisk, sparseBytes);
  const fd = openSync(sparseDisk, 'r+');
  writeSync(fd, 'far behind', sparseBytes - 5000);
  closeSync(fd);
});

afterAll(() => folder.remove());

test('two disks are stored, shown, checked, restored to the byte with their holes, and deleted', async () => {
  const planned = await pars(noKernel, ...uploadArguments(), '--dry-run');
  const plan = plannedAnswer.parse(planned.json);
  expect(plan.disks.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
    ['vda', dataBytes + 7],
    ['vdb', sparseBytes],
  ]);
  expect(plan.disks[1].plannedBytes).toBeLessThan(10 * dataBytes);
  expect(store.dataFiles()).toEqual([]);

  const uploaded = await pars(noKernel, ...uploadArguments());
  const { id } = uploadAnswer.parse(uploaded.json);
  const { disks } = disksAnswer.parse(uploaded.json);
  expect(disks.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
    ['vda', dataBytes + 7],
    ['vdb', sparseBytes],
  ]);
  for (const { storedBytes } of disks) {
    expect(storedBytes).toBeGreaterThan(3 * dataBytes);
    expect(storedBytes).toBeLessThan(4 * dataBytes);
  }

  const shown = await runPars(['show', id], { storeUrl: store.url });
  expect(shown.stdout).toMatch(/^image {6}2\.0 MiB$/m);
  expect(shown.stdout).toContain(`disk       vdb: 1.0 GiB, raw at ${sparseDisk}`);
  const { labelCounts, packs } = showAnswer.parse((await pars(0, 'show', id)).json);
  expect(labelCounts).toEqual({
    unknown: 512,
    disk: dataBytes / 4096 + 1 + sparseBytes / 4096,
  });
  expect(new Set(packs.map(({ replication }) => replication))).toEqual(new Set([3]));
  const verified = verifyAnswer.parse((await pars(0, 'verify', id, '--read-data')).json);
  expect(verified).toMatchObject({ lostPageCount: 0, lost: [] });

  const out = join(folder.path, 'out');
  const restored = await pars(0, 'restore', id, '--out', out);
  expect(restoredAnswer.parse(restored.json).disks).toEqual(
    [
      { name: 'vda', path: join(out, 'disk-vda.img'), sourcePath: oddDisk },
      { name: 'vdb', path: join(out, 'disk-vdb.img'), sourcePath: sparseDisk },
    ].map((disk) => ({ ...disk, sourceFormat: 'raw' })),
  );
  expect(await sha256Of(join(out, 'disk-vda.img'))).toBe(await sha256Of(oddDisk));
  expect(await sha256Of(join(out, 'disk-vdb.img'))).toBe(await sha256Of(sparseDisk));
  expect(statSync(join(out, 'disk-vdb.img')).blocks * 512).toBeLessThan(2 * dataBytes);
  expect(await sha256Of(join(out, 'ram'))).toBe(await sha256Of(image));

  const without = join(folder.path, 'without');
  await pars(0, 'restore', id, '--out', without, '--without-disks');
  expect(existsSync(join(without, 'disk-vda.img'))).toBe(false);

  const deleted = deleteAnswer.parse((await pars(0, 'delete', id)).json);
  expect(deleted.kept).toEqual([]);
  expect(store.dataFiles()).toEqual([]);
});

testInWhole('a lost pack of a disk is named by its disk, and stops the restore', async () => {
  const { id } = uploadAnswer.parse((await pars(noKernel, ...uploadArguments())).json);
  const { header, frames, spaces } = await manifestOf(id);
  const lostPack = header.packs[frames.pack[spaces[1].places.frame[0]]];
  store.copiesOf(lostPack.name).forEach((path) => {
    rmSync(path);
  });
  const lost = [
    { space: 'disk-vda', firstPage: 0, pageCount: 257, pfn: 0, label: 'disk', reason: 'lost' },
  ];
  const { json } = await pars(dataLost, 'verify', id);
  expect(json).toMatchObject({ lostPageCount: 257, lost });
  expect(verifyForecast.parse(json).scenarios[0]).toMatchObject({
    lostByLabel: { disk: 257 },
    verdict: 'does-not-resume',
  });
  const said = await runPars(['verify', id], { storeUrl: store.url });
  expect(said.stdout).toContain('257 pages of');
  expect(said.stdout).toMatch(/^disk-vda +0-256 +257 +0x0 +disk +lost$/m);

  const out = join(folder.path, 'lost');
  const refused = await pars(dataLost, 'restore', id, '--out', out);
  expect(refused.json).toMatchObject({ ram: null, disks: [], lostPageCount: 257, lost });
  expect(refused.stderr).toContain('257 pages of the disk vda cannot be read back');
  expect(existsSync(out)).toBe(false);
  const allowed = await pars(dataLost, 'restore', id, '--out', out, '--allow-lost');
  expect(allowed.stderr).toContain(`are zero in ${join(out, 'disk-vda.img')}`);
  expect(statSync(join(out, 'disk-vda.img'))).toMatchObject({ size: dataBytes + 7, blocks: 0 });
  expect(await sha256Of(join(out, 'disk-vdb.img'))).toBe(await sha256Of(sparseDisk));
  await pars(0, 'restore', id, '--out', join(folder.path, 'ram-only'), '--without-disks');
});

test('--with-disks without a disk, and a disk that is for nothing, are refused', async () => {
  const upload = ['upload', image, '--name', 'vm'];
  const without = await runPars([...upload, '--with-disks'], { storeUrl: store.url });
  expect(without).toMatchObject({
    exitCode: usage,
    stderr: expect.stringContaining('give them with --disk') as string,
  });
  const idle = await runPars([...upload, '--disk', oddDisk], { storeUrl: store.url });
  expect(idle).toMatchObject({
    exitCode: usage,
    stderr: expect.stringContaining('--with-disks') as string,
  });
});

test(
  'a guest with its disk, of which nothing that the disk holds is stored twice, comes back without any --disk',
  async () => {
    const guest = await fixtureGuest('aged');
    const uploaded = await pars(
      0,
      ...['upload', guest.ramPath, '--state', guest.statePath, '--name', 'guest'],
      ...['--policy', 'lean', '--with-disks', '--disk', `vda=${guest.diskPath}`],
    );
    const { id } = uploadAnswer.parse(uploaded.json);
    const manifest = await manifestOf(id);
    const heldCount = manifest.header.labelCounts['disk-held'] ?? 0;
    expect(heldCount).toBeGreaterThan(30_000);
    const { scenarios, risks } = verifyForecast.parse((await pars(0, 'verify', id)).json);
    expect(scenarios[0].verdict).toBe('resumes');
    expect(risks.map(({ kind }) => kind)).not.toContain('disk-not-stored');

    const out = join(folder.path, 'guest');
    const restored = await pars(0, 'restore', id, '--out', out);
    expect(restoreAnswer.parse(restored.json).healing).toMatchObject({
      unhealedPageCount: 0,
      putBackPageCount: heldCount,
    });
    expect(await sha256Of(join(out, 'disk-vda.img'))).toBe(await sha256Of(guest.diskPath));
    const { pages } = differingPages(guest.ramPath, join(out, 'ram'));
    const labels = new Set(pages.map((page) => labelOf(manifest.spaces[0], page)));
    const mayDiffer = ['free', 'free-pcp', 'offline', 'file-reread', 'reserved'] as const;
    expect(mayDiffer.map((label) => labelNumbers[label])).toEqual(
      expect.arrayContaining([...labels]),
    );
  },
  setUpTimeoutMs,
);
