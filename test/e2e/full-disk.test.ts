// Disks that are too small, on both ends: exit code 8, and nothing is left that would keep them full.
//
// The disks are tmpfs mounts, which only root can make.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorAnswer, listAnswer, uploadAnswer } from './command-answers.js';
import { diskNames, LocalStoreFolder } from './local-store-folder.js';
import { expectPars, parsMain, runPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';
import { canMount, mountTinyDisk } from './tiny-disk.js';

const imageMib = 24;
const noSpace = 8;
const noKernel = 20;
const testAsRoot = canMount ? test : test.skip;

let folder: TemporaryFolder;
let image: string;
const unmounts: (() => void)[] = [];

const upload = () => ['upload', image, '--name', 'noise', '--json'];

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  image = join(folder.path, 'noise');
  makeRandomImage(image, imageMib);
});

afterAll(async () => {
  unmounts.forEach((unmount) => {
    unmount();
  });
  await folder.remove();
});

async function storedIn(name: string): Promise<{ store: LocalStoreFolder; id: string }> {
  const store = new LocalStoreFolder(join(folder.path, name));
  const { json } = await expectPars(noKernel, upload(), { storeUrl: store.url });
  return { store, id: uploadAnswer.parse(json).id };
}

testAsRoot('a restore to a full disk says so and leaves the disk as it was', async () => {
  const { store, id } = await storedIn('roomy');
  const disk = join(folder.path, 'tiny');
  unmounts.push(mountTinyDisk(disk, imageMib / 2));

  const outcome = await runPars(['restore', id, '--out', disk, '--json'], {
    storeUrl: store.url,
  });
  expect(outcome.exitCode).toBe(noSpace);
  const { error } = errorAnswer.parse(outcome.json);
  expect(error.code).toBe('no-space');
  expect(error.message).toContain(disk);
  expect(readdirSync(disk)).toEqual([]);
});

test('a restore to where no file may be so large says so and leaves nothing', async () => {
  const { store, id } = await storedIn('large');
  const out = join(folder.path, 'limited');
  const { status, stdout } = spawnSync(
    'prlimit',
    [
      `--fsize=${imageMib * 2 ** 19}`,
      process.execPath,
      parsMain,
      ...['restore', id, '--store', store.url, '--out', out, '--json'],
    ],
    { encoding: 'utf8' },
  );
  expect(status).toBe(noSpace);
  const { error } = errorAnswer.parse(JSON.parse(stdout));
  expect(error.message).toContain('takes no file so large');
  expect(readdirSync(out)).toEqual([]);
});

testAsRoot('an upload to disks that are full says so and leaves nothing on them', async () => {
  const store = new LocalStoreFolder(join(folder.path, 'cramped'));
  for (const name of diskNames) {
    unmounts.push(mountTinyDisk(join(store.path, name), imageMib / 3));
  }
  const outcome = await runPars(upload(), { storeUrl: store.url });
  expect(outcome.exitCode).toBe(noSpace);
  const { error } = errorAnswer.parse(outcome.json);
  expect(error.code).toBe('no-space');
  expect(error.message).toContain('ENOSPC');
  expect(store.dataFiles()).toEqual([]);
  const listed = await expectPars(0, ['list', '--json'], { storeUrl: store.url });
  expect(listAnswer.parse(listed.json)).toEqual([]);
});
