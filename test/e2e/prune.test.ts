// pars prune after an upload that was really killed: what it left goes once it is old enough, and nothing else.
//
// Time passes by setting the clock of the command forward, since the store's own times cannot be set back.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { manifestName } from '../../src/catalog/names.js';
import { exitCodeOfError, exitCodes } from '../../src/cli/shared/exit-code.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { filesBelow, writeText } from '../catalog/small-snapshot.js';
import { testInWhole } from '../slice.js';
import { errorAnswer, uploadAnswer } from './command-answers.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars, startPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const killed = 137;
/** Two packs; long enough to be killed amid the first. */
const imageMib = 70;

const pruneAnswer = z.strictObject({
  dryRun: z.boolean(),
  leftovers: z.array(
    z.strictObject({
      id: z.string(),
      fileCount: z.int(),
      sizeBytes: z.int(),
      modified: z.iso.datetime(),
      outcome: z.string(),
    }),
  ),
});

let folder: TemporaryFolder;
let storeFolder: LocalStoreFolder;
let store: Store;
let image: string;
let state: string;

const upload = () => ['upload', image, '--state', state, '--name', 'noise', '--json'];

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  image = join(folder.path, 'noise');
  makeRandomImage(image, imageMib);
  state = join(folder.path, 'state');
  writeFileSync(state, 'device state');
  storeFolder = new LocalStoreFolder(join(folder.path, 'store'));
  store = await openStore(storeFolder.url);
});

afterAll(async () => {
  await store.close();
  await folder.remove();
});

/** The outcome of `pars prune` with its clock so many hours ahead. */
async function pruneLater(
  hours: number,
  commandArguments: readonly string[] = [],
  exitCode: number = exitCodes.ok,
) {
  const clock = `const now = Date.now; Date.now = () => now() + ${hours} * 3600e3;`;
  const outcome = await expectPars(exitCode, ['prune', '--json', ...commandArguments], {
    storeUrl: storeFolder.url,
    nodeArguments: ['--import', `data:text/javascript,${encodeURIComponent(clock)}`],
  });
  return outcome.json;
}

/** Kills an upload once its device state is in the store, which is sent before the pages. Returns its id. */
async function killUpload(): Promise<string> {
  const before = (await store.list('packs')).map(({ name }) => name);
  const { child, ended, hasEnded } = startPars(upload(), { storeUrl: storeFolder.url });
  for (;;) {
    const added = (await store.list('packs')).find(({ name }) => !before.includes(name));
    if (added !== undefined && (await filesBelow(store, added.name)).length > 0) {
      child.kill('SIGKILL');
      expect((await ended).exitCode).toBe(killed);
      return added.name.slice('packs/'.length);
    }
    if (hasEnded()) {
      throw new Error('the upload ended before anything of it appeared');
    }
    await sleep(5);
  }
}

test('what a killed upload left is removed when it is a day old, and the snapshot beside it stays whole', async () => {
  const stored = await expectPars(exitCodes.noKernel, upload(), { storeUrl: storeFolder.url });
  const { id } = uploadAnswer.parse(stored.json);
  const filesBefore = await filesBelow(store, '');
  const dataBefore = storeFolder.dataFiles();

  const leftId = await killUpload();
  expect(await store.stat(manifestName(leftId))).toBeUndefined();
  const filesLeft = await filesBelow(store, '');
  expect(filesLeft.length).toBeGreaterThan(filesBefore.length);

  // An upload under way looks the same.
  expect(pruneAnswer.parse(await pruneLater(23)).leftovers).toEqual([]);
  expect(await filesBelow(store, '')).toEqual(filesLeft);

  const [found] = pruneAnswer.parse(await pruneLater(25, ['--dry-run'])).leftovers;
  expect(found).toMatchObject({
    id: leftId,
    fileCount: filesLeft.length - filesBefore.length,
    outcome: 'would-be-removed',
  });
  expect(await filesBelow(store, '')).toEqual(filesLeft);

  const pruned = pruneAnswer.parse(await pruneLater(25));
  expect(pruned.leftovers).toEqual([{ ...found, outcome: 'removed' }]);
  expect(await filesBelow(store, '')).toEqual(filesBefore);
  // The bytes too, also of copies that had no name yet.
  expect(storeFolder.dataFiles()).toEqual(dataBefore);
  await expectPars(exitCodes.ok, ['verify', id, '--read-data'], { storeUrl: storeFolder.url });
  expect(pruneAnswer.parse(await pruneLater(25)).leftovers).toEqual([]);
});

testInWhole(
  'while a manifest cannot be read nothing is removed, and afterwards a shorter age can be asked for',
  async () => {
    const leftId = await killUpload();
    const unreadable = manifestName('c'.repeat(16));
    await writeText(store, unreadable, 'nonsense');
    const before = await filesBelow(store, '');
    const refused = await pruneLater(25, [], exitCodeOfError.corrupt);
    expect(errorAnswer.parse(refused).error.message).toMatch(/^nothing was removed: snapshot c/);
    expect(await filesBelow(store, '')).toEqual(before);

    await store.remove(unreadable);
    const { leftovers } = pruneAnswer.parse(await pruneLater(2, ['--older-than', '1h']));
    expect(leftovers).toMatchObject([{ id: leftId, outcome: 'removed' }]);
  },
);

test.each(['59m', '24', 'soon'])('an age of %s is refused', async (age) => {
  const answer = await pruneLater(0, ['--older-than', age], exitCodeOfError.usage);
  expect(errorAnswer.parse(answer).error.message).toContain('expected 1h or longer');
});
