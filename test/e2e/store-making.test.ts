// When a store of local disks comes into being: disks that are listed one by one by `pars init` alone, a folder by the
// first upload, and nothing by reading. And with too few disks it says so.

import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOfError, exitCodes } from '../../src/cli/shared/exit-code.js';
import { expectPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

let folder: TemporaryFolder;
let image: string;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  image = join(folder.path, 'image');
  makeRandomImage(image, 2);
});

afterAll(async () => {
  await folder.remove();
});

/** Empty folders, as new disks' mount points are, and the URL that lists them. */
function newDisks(name: string, count: number): string {
  const disks = Array.from({ length: count }, (_, index) => join(folder.path, `${name}${index}`));
  disks.forEach((disk) => {
    mkdirSync(disk);
  });
  return `file:///?disks=${disks.join(',')}`;
}

test('empty folders are no store until they are taken in', async () => {
  const store = newDisks('new', 3);
  const refused = await expectPars(exitCodeOfError.unavailable, ['list', '--store', store]);
  expect(refused.stderr).toContain('pars init');
  await expectPars(exitCodes.ok, ['init', '--store', store]);
  // Not Linux: all of it is stored as critical, three times.
  await expectPars(exitCodes.noKernel, ['upload', image, '--name', 'x', '--store', store]);
  const listed = await expectPars(exitCodes.ok, ['list', '--store', store, '--json']);
  expect(listed.json).toHaveLength(1);
});

test('a store whose disks are all away is away, and not missing', async () => {
  const store = newDisks('mount', 2);
  await expectPars(exitCodes.ok, ['init', '--store', store]);
  const disks = [join(folder.path, 'mount0'), join(folder.path, 'mount1')];
  disks.forEach((disk) => {
    renameSync(disk, `${disk}-away`);
  });
  const commands = [
    ['list'],
    ['upload', image, '--name', 'x'],
    ['verify', 'abc'],
    ['disks'],
    ['disks', '--bring-back'],
    ['disks', '--trust', disks[0]],
  ];
  // A mount point stays when its disk goes.
  for (const isEmpty of [false, true]) {
    if (isEmpty) {
      disks.forEach((disk) => {
        mkdirSync(disk);
      });
    }
    for (const command of commands) {
      const outcome = await expectPars(exitCodeOfError.unavailable, [...command, '--store', store]);
      expect(outcome.stderr).toContain(`can be reached: ${disks.join(', ')}; mount them`);
    }
  }
  disks.forEach((disk) => {
    rmdirSync(disk);
    renameSync(`${disk}-away`, disk);
  });
  await expectPars(exitCodes.ok, ['list', '--store', store]);
}, 180_000);

test('to read from a folder that is no store makes none there', async () => {
  const path = join(folder.path, 'mistyped');
  for (const command of [['list'], ['restore', 'abc', '--out', join(folder.path, 'out')]]) {
    const outcome = await expectPars(exitCodeOfError['not-found'], [
      ...command,
      '--store',
      `file://${path}`,
    ]);
    expect(outcome.stderr).toContain(path);
  }
  expect(existsSync(path)).toBe(false);
});

test('first uploads that race make one store between them, and each has its snapshot', async () => {
  const store = `file://${join(folder.path, 'raced')}`;
  const upload = ['upload', image, '--name', 'x', '--store', store, '--json'];
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => expectPars(exitCodes.noKernel, upload)),
  );
  const ids = outcomes.map(({ json }) => (json as { id: string }).id);
  expect(new Set(ids).size).toBe(ids.length);
  const listed = await expectPars(exitCodes.ok, ['list', '--store', store, '--json']);
  expect((listed.json as readonly { id: string }[]).map(({ id }) => id).sort()).toEqual(ids.sort());
  for (const id of ids) {
    await expectPars(exitCodes.ok, ['verify', id, '--store', store, '--read-data']);
  }
}, 180_000);

test('with two disks a snapshot is stored, and its missing copies are said without waiting for them', async () => {
  const store = newDisks('pair', 2);
  await expectPars(exitCodes.ok, ['init', '--store', store]);
  const outcome = await expectPars(exitCodes.underReplicated, [
    'upload',
    image,
    '--name',
    'x',
    '--store',
    store,
    '--json',
  ]);
  expect(outcome.stderr).toMatch(/has 2 of 3 copies/);
  // Copies that come later are waited for a minute; on local disks none ever does.
  expect(outcome.durationMs).toBeLessThan(30_000);
  const { id, underReplicated } = outcome.json as {
    id: string;
    underReplicated: readonly { name: string }[];
  };
  expect(underReplicated.map(({ name }) => name)).toEqual(
    expect.arrayContaining([`packs/${id}/000000.pack`]),
  );
  await expectPars(exitCodes.underReplicated, ['verify', id, '--store', store, '--read-data']);
});

test('disks that do not agree are shown, and settled by the one that is trusted', async () => {
  const store = newDisks('doubt', 3);
  await expectPars(exitCodes.ok, ['init', '--store', store]);
  await expectPars(exitCodes.noKernel, ['upload', image, '--name', 'x', '--store', store]);
  const [first, second] = store.replace('file:///?disks=', '').split(',');
  rmSync(join(first, 'names/snapshots'), { recursive: true });
  const refused = await expectPars(exitCodeOfError.corrupt, ['list', '--store', store]);
  expect(refused.stderr).toContain(first);
  expect(refused.stderr).toContain('pars disks --store URL --trust');
  await expectPars(exitCodeOfError.corrupt, ['disks', '--store', store]);
  await expectPars(exitCodes.ok, ['disks', '--store', store, '--trust', second]);
  const shown = await expectPars(exitCodes.ok, ['disks', '--store', store, '--json']);
  expect(shown.json).toMatchObject({ doubt: null });
  const listed = await expectPars(exitCodes.ok, ['list', '--store', store, '--json']);
  expect(listed.json).toHaveLength(1);
});
