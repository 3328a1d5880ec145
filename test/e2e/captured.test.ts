// `pars upload --captured`: a folder that a capture wrote becomes a snapshot with its own moment, its disks found out by what
// the guest's memory has of them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Captured, capturedFile, writeCaptured } from '../../src/spool/captured.js';
import { copySparse } from '../guest/copy-sparse.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { restoreAnswer, uploadAnswer } from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const setUpTimeoutMs = 300_000;
const usage = 2;
const imageInvalid = 3;
const notFound = 4;

const listAnswer = z.array(z.object({ id: z.string(), vm: z.string(), created: z.string() }));
const diskNames = z.object({ disks: z.array(z.object({ name: z.string() })) });

const captured: Captured = {
  version: 1,
  vm: 'web',
  createdMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  source: 'qmp',
  image: { file: 'ram', format: 'raw' },
  state: 'state',
  disks: [
    // What the VM calls them says nothing to the guest.
    { name: 'spare-device', file: 'disk-1', sourcePath: '/images/spare.img', sourceFormat: 'raw' },
    { name: 'disk-device', file: 'disk-2', sourcePath: '/images/disk.img', sourceFormat: 'raw' },
  ],
  way: 'shared-ram',
  downtimeMs: 12.5,
};

let folder: TemporaryFolder;
let store: LocalStoreFolder;
let entry: string;
let diskPath: string;

const pars = (exitCode: number, ...args: readonly string[]) =>
  expectPars(exitCode, [...args, '--json'], { storeUrl: store.url });

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  store = new LocalStoreFolder(join(folder.path, 'store'));
  const guest = await fixtureGuest('aged');
  diskPath = guest.diskPath;
  entry = join(folder.path, 'entry');
  mkdirSync(entry);
  await copySparse(guest.ramPath, join(entry, 'ram'));
  await copySparse(guest.statePath, join(entry, 'state'));
  await copySparse(guest.sparePath, join(entry, 'disk-1'));
  await copySparse(guest.diskPath, join(entry, 'disk-2'));
  await writeCaptured(entry, captured);
}, setUpTimeoutMs);

afterAll(() => folder.remove());

test('it has the moment of the capture, and comes back from its own disks', async () => {
  const uploaded = await pars(0, 'upload', '--captured', entry, '--policy', 'lean');
  const { id } = uploadAnswer.parse(uploaded.json);
  expect(uploaded.json).toMatchObject({ capture: { way: 'shared-ram', downtimeMs: 12.5 } });
  expect(diskNames.parse(uploaded.json).disks.map(({ name }) => name)).toEqual([
    'spare-device',
    'vda',
  ]);
  expect(listAnswer.parse((await pars(0, 'list')).json)).toMatchObject([
    { id, vm: 'web', created: '2026-01-02T03:04:05.678Z' },
  ]);
  const out = join(folder.path, 'out');
  const restored = await pars(0, 'restore', id, '--out', out);
  const { healing } = restoreAnswer.parse(restored.json);
  expect(healing.unhealedPageCount).toBe(0);
  expect(healing.putBackPageCount).toBeGreaterThan(30_000);
  expect(await sha256Of(join(out, 'disk-vda.img'))).toBe(await sha256Of(diskPath));
});

test.each([
  [['--captured', '/nowhere'], notFound, '/nowhere/captured.json'],
  [['--captured', '/nowhere', 'image'], usage, 'an image and what was captured'],
  [
    ['--captured', '/nowhere', '--name', 'web'],
    usage,
    '--name means nothing for what was captured',
  ],
  [['--captured', '/nowhere', '--max-downtime', '1s'], usage, '--max-downtime means nothing'],
  [['image'], usage, '--name'],
  [[], usage, 'found none'],
  [
    ['--qmp', '/nowhere', '--name', 'web', '--state', 'x'],
    usage,
    '--state means nothing for a running',
  ],
  [['--qmp', '/nowhere', '--name', 'web', '--max-downtime', '50'], usage, '"50" is no time'],
])('upload %j is refused', async (words, exitCode, reason) => {
  const { stderr } = await pars(exitCode, 'upload', ...words);
  expect(stderr).toContain(reason);
});

test('a folder that says something else is refused by what is wrong in it', async () => {
  const broken = join(folder.path, 'broken');
  mkdirSync(broken);
  writeFileSync(
    join(broken, capturedFile),
    JSON.stringify({ ...captured, image: { file: '../ram' } }),
  );
  const { stderr } = await pars(imageInvalid, 'upload', '--captured', broken);
  expect(stderr).toContain('image.file: expected the name of a file beside it');
});
