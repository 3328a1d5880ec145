// `pars hook` as schedulers call it, with a real store on local disks: what is offered arrives, once, now or later.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { errorAnswer } from './command-answers.js';
import { expectPars, parsMain, runPars, startPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const unavailable = 7;
const listAnswer = z.array(z.object({ vm: z.string(), created: z.string() }));
const waitingAnswer = z.array(
  z.object({
    vm: z.string(),
    state: z.string(),
    attemptCount: z.int(),
    lastError: z.string().nullable(),
  }),
);

let folder: TemporaryFolder;
let config: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  config = writeConfig(storeUrl());
});
afterEach(() => folder.remove());

const pathOf = (name: string): string => join(folder.path, name);
const storeUrl = (): string => pathToFileURL(pathOf('store')).href;

function writeConfig(store: string, more = ''): string {
  const path = pathOf('pars.yaml');
  const lines = [
    `store: ${store}`,
    `spool: {path: ${pathOf('spool')}}`,
    `metrics: {textfile: ${pathOf('pars.prom')}}`,
    more,
  ];
  writeFileSync(path, lines.join('\n'));
  return path;
}

/** Taken so many seconds after 2023-11-14T22:13:20Z. */
function imageOf(name: string, second: number): string {
  const path = pathOf(name);
  makeRandomImage(path, 1);
  utimesSync(path, 1_700_000_000 + second, 1_700_000_000 + second);
  return path;
}

const offer = (vm: string, image: string) => ({
  environment: { PARS_VM: vm, PARS_IMAGE: image, PARS_CONFIG: config },
});

async function storedVms(): Promise<readonly string[]> {
  if (!existsSync(pathOf('store'))) {
    return [];
  }
  const { json } = await expectPars(0, ['list', '--json', '--store', storeUrl()]);
  return listAnswer.parse(json).map(({ vm, created }) => `${vm} ${created}`);
}

const waiting = async () =>
  waitingAnswer.parse((await expectPars(0, ['hook', 'list', '--json', '--config', config])).json);

/** Until the uploads in the background are done. */
async function storedInTime(count: number): Promise<readonly string[]> {
  for (;;) {
    const found = await storedVms();
    if (found.length >= count && (await waiting()).length === 0) {
      return found;
    }
    await sleep(200);
  }
}

test('a snapshot is stored with its own moment, once', async () => {
  const options = offer('web', imageOf('web.raw', 0));
  const first = await expectPars(0, ['hook', 'run', '--wait', '--json'], options);
  expect(first.json).toMatchObject({ vm: 'web', result: 'spooled', remainingCount: 0 });
  const again = await expectPars(0, ['hook', 'run', '--wait', '--json'], options);
  expect(again.json).toMatchObject({ result: 'known', sentCount: 0 });
  expect(await storedVms()).toEqual(['web 2023-11-14T22:13:20.000Z']);
  expect(await waiting()).toEqual([]);
  expect(readFileSync(pathOf('pars.prom'), 'utf8')).toMatch(
    /^pars_last_upload_bytes\{vm="web"\} [1-9]\d*$/m,
  );
  expect(first.stderr).toMatch(/"time":"\d{4}-\d\d-\d\dT.*a snapshot is stored/);
});

test('while the store is away snapshots wait, and go in their order when it is back', async () => {
  writeConfig('webhdfs://127.0.0.1:1/pars');
  const away = ['hook', 'run', '--wait'];
  await expectPars(unavailable, away, offer('web', imageOf('1.raw', 1)));
  expect(await waiting()).toMatchObject([{ vm: 'web', state: 'waiting', attemptCount: 1 }]);
  // Not before its time.
  await expectPars(unavailable, ['hook', 'flush', '--config', config]);
  expect(await waiting()).toMatchObject([{ attemptCount: 1 }]);
  writeConfig(storeUrl());
  await expectPars(0, ['hook', 'run', '--wait'], offer('web', imageOf('2.raw', 2)));
  expect(await storedVms()).toEqual([
    'web 2023-11-14T22:13:21.000Z',
    'web 2023-11-14T22:13:22.000Z',
  ]);
});

test('without --wait it is sent in the background, told by JSON as well', async () => {
  const input = { vm: 'db', image: imageOf('db.raw', 3), link: true };
  const { status, stdout } = spawnSync(
    process.execPath,
    [parsMain, 'hook', 'run', '--json', '--config', config],
    { input: JSON.stringify(input), env: { ...process.env, NODE_OPTIONS: '' }, encoding: 'utf8' },
  );
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ vm: 'db', result: 'spooled' });
  expect(await storedInTime(1)).toEqual(['db 2023-11-14T22:13:23.000Z']);
  expect(readFileSync(pathOf('spool/hook.log'), 'utf8')).toContain('a snapshot is stored');
});

test('a folder is watched until SIGTERM, and what appears is stored', async () => {
  const drop = pathOf('drop');
  mkdirSync(drop);
  const watching = startPars([
    ...['hook', 'dir', drop, '--watch', '--settle', '100ms', '--json', '--config', config],
  ]);
  try {
    renameSync(imageOf('web.raw.part', 4), join(drop, 'web.raw'));
    expect(await storedInTime(1)).toEqual(['web 2023-11-14T22:13:24.000Z']);
  } finally {
    watching.child.kill('SIGTERM');
  }
  const { exitCode, json } = await watching.ended;
  expect(exitCode).toBe(0);
  expect(json).toEqual({ taken: [{ name: 'web.raw', vm: 'web' }], left: [] });
});

test('what failed says so, and stays', async () => {
  // Flat RAM has whole pages; that is found out at the upload.
  const image = pathOf('odd.raw');
  writeFileSync(image, 'x'.repeat(5000));
  const { exitCode } = await runPars(['hook', 'run', '--wait'], offer('web', image));
  expect(exitCode).toBe(3);
  const [entry] = await waiting();
  expect(entry).toMatchObject({ state: 'failed', attemptCount: 1 });
  expect(entry.lastError).toContain('5000');
});

test('config check shows what is in force, without secrets', async () => {
  writeConfig(
    'webhdfs://nn:9870/pars',
    'libvirt: {uri: "qemu+tls://u:pass@host/system?token=abc"}',
  );
  const { stdout } = await expectPars(0, ['config', 'check', '--config', config]);
  expect(stdout).toContain('store: webhdfs://nn:9870/pars');
  expect(stdout).toContain('uri: qemu+tls://***@host/system?token=***');
});

test.each([
  ['an unknown key', 'polcy: lean', /line 4: polcy: this key is not known/],
  ['a policy file that is not there', 'policy: /nonexistent', /nonexistent/],
])('config check refuses %s', async (_, more, message) => {
  writeConfig(storeUrl(), more);
  const outcome = await expectPars(2, ['config', 'check', '--json', '--config', config]);
  expect(errorAnswer.parse(outcome.json).error).toMatchObject({
    code: 'usage',
    message: expect.stringMatching(message) as string,
  });
});

test('config check refuses a password in the URL without repeating it', async () => {
  writeConfig('webhdfs://alice:secret@nn:9870/pars');
  const outcome = await expectPars(2, ['config', 'check', '--config', config]);
  expect(outcome.stderr).toContain('user or password');
  expect(outcome.stderr).not.toContain('secret');
});

test('config check refuses a spool that cannot be made', async () => {
  writeFileSync(pathOf('spool'), 'a file');
  const outcome = await expectPars(2, ['config', 'check', '--config', config]);
  expect(outcome.stderr).toContain(pathOf('spool'));
});
