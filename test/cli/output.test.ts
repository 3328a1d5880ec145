// What goes to which stream: one JSON value on standard output, words for people on standard error, progress only on a
// terminal, and a reader that goes away is no failure.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { uploadAnswer } from '../e2e/command-answers.js';
import { LocalStoreFolder } from '../e2e/local-store-folder.js';
import { expectPars, runPars, startPars } from '../e2e/pars-command.js';
import { makeRandomImage } from '../e2e/random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';

const noKernel = 20;
const corrupt = 10;

let folder: TemporaryFolder;
let store: LocalStoreFolder;
let image: string;
let id: string;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  store = new LocalStoreFolder(join(folder.path, 'store'));
  image = join(folder.path, 'noise');
  makeRandomImage(image, 8);
  const outcome = await expectPars(noKernel, ['upload', image, '--name', 'noise', '--json'], {
    storeUrl: store.url,
  });
  ({ id } = uploadAnswer.parse(outcome.json));
});
afterAll(() => folder.remove());

const commands = (): readonly (readonly [exitCode: number, ...command: readonly string[]])[] => [
  [noKernel, 'classify', image],
  [noKernel, 'upload', image, '--name', 'again'],
  [noKernel, 'upload', image, '--name', 'again', '--dry-run'],
  [0, 'list'],
  [0, 'show', id],
  [0, 'verify', id],
  [0, 'verify', id, '--read-data'],
  [0, 'restore', id, '--out', join(folder.path, 'out-json')],
  [4, 'show', 'ffffffffffffffff'],
  [2, 'show', 'no id'],
  [2, 'restore', id],
];

test('with --json every command prints one line with one JSON value, failures too', async () => {
  for (const [exitCode, ...command] of commands()) {
    const { stdout, json } = await expectPars(exitCode, [...command, '--json'], {
      storeUrl: store.url,
    });
    expect({ command, lines: stdout.split('\n').length }).toEqual({ command, lines: 2 });
    const isFailure = z.object({ error: z.unknown() }).safeParse(json).success;
    expect({ command, isFailure }).toEqual({ command, isFailure: [2, 4].includes(exitCode) });
  }
});

test('in a pipe there is no progress: standard error holds warnings and errors, or nothing', async () => {
  const upload = await expectPars(noKernel, ['upload', image, '--name', 'piped'], {
    storeUrl: store.url,
  });
  expect(upload.stderr.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^pars: warning: every page is kept as critical: /),
  ]);
  for (const command of [
    ['verify', id, '--read-data'],
    ['restore', id, '--out', join(folder.path, 'out-piped')],
  ]) {
    const { stderr } = await expectPars(0, command, { storeUrl: store.url });
    expect({ command, stderr }).toEqual({ command, stderr: '' });
  }
});

test('a failure is one sentence for people, without a stack', async () => {
  const outcome = await runPars(['show', 'ffffffffffffffff'], { storeUrl: store.url });
  expect(outcome.stdout).toBe('');
  expect(outcome.stderr.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^pars: no snapshot ffffffffffffffff in file:.*`pars list`$/),
  ]);
});

describe('a reader that closes its end of the pipe', () => {
  test('is no failure', async () => {
    const { child, ended } = startPars(['list'], { storeUrl: store.url });
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('does not hide the exit code of what was found', async () => {
    const damaged = new LocalStoreFolder(store.path);
    // In all three copies, so that none is left that could be read instead.
    for (const copy of damaged.copiesOf(`packs/${id}/000000.pack`)) {
      writeFileSync(copy, Buffer.alloc(100), { flag: 'r+' });
    }
    const { child, ended } = startPars(['verify', id, '--read-data'], { storeUrl: store.url });
    child.stdout?.destroy();
    expect((await ended).exitCode).toBe(corrupt);
  });

  test('does not stop an upload that warns to it', async () => {
    const { child, ended } = startPars(['upload', image, '--name', 'unheard'], {
      storeUrl: store.url,
    });
    await once(child, 'spawn');
    child.stderr?.destroy();
    expect((await ended).exitCode).toBe(noKernel);
    const { stdout } = await expectPars(0, ['list'], { storeUrl: store.url });
    expect(stdout).toMatch(/ unheard /);
  });
});
