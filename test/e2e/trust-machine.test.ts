// `pars restore --resume` starts nothing on a snapshot's word alone: the command is shown, asked about on a terminal, and
// needs --trust-machine elsewhere. A stand-in for QEMU, found by its name in PATH, says whether it was started.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { liveStream } from '../introspect/memory/migration-sample.js';
import { uploadAnswer } from './command-answers.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars, parsMain } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

let folder: TemporaryFolder;
let store: LocalStoreFolder;
let out: string;
let started: string;

beforeEach(async () => {
  folder = await makeTemporaryFolder();
  store = new LocalStoreFolder(join(folder.path, 'store'));
  out = join(folder.path, 'out');
  started = join(folder.path, 'started');
  await mkdir(join(folder.path, 'bin'));
  await writeFile(
    join(folder.path, 'bin', 'qemu-system-x86_64'),
    `#!/bin/sh\necho "$@" >'${started}'\n`,
    { mode: 0o700 },
  );
  await writeFile(join(folder.path, 'image'), liveStream());
});
afterEach(() => folder.remove());

const environment = () => ({ PATH: `${join(folder.path, 'bin')}:${process.env['PATH'] ?? ''}` });

async function uploaded(words: readonly string[]): Promise<string> {
  const machine = join(folder.path, 'machine');
  await writeFile(machine, JSON.stringify(words));
  const { json } = await expectPars(
    20,
    ['upload', join(folder.path, 'image'), '--name', 'vm', '--machine', machine, '--json'],
    { storeUrl: store.url },
  );
  return uploadAnswer.parse(json).id;
}

const resume = (id: string, ...more: readonly string[]) =>
  expectPars(23, ['restore', id, '--out', out, '--resume', ...more], {
    storeUrl: store.url,
    environment: environment(),
  });

/** With a terminal as standard input, output and error, and `answer` typed at it. */
async function onTerminal(id: string, answer: string): Promise<string> {
  const words = [process.execPath, parsMain, 'restore', id, '--out', out, '--resume'];
  const line = words.map((word) => `'${word}'`).join(' ');
  return await new Promise((done, reject) => {
    const child = execFile(
      'script',
      ['-qec', line, '/dev/null'],
      { env: { ...process.env, ...environment(), NODE_OPTIONS: '', PARS_STORE: store.url } },
      (error, stdout) => {
        if (error !== null && error.code !== 23) {
          reject(new Error(`${error.message}\n${stdout}`));
        } else {
          done(stdout);
        }
      },
    );
    let isAnswered = false;
    child.stdout?.on('data', (text: string) => {
      if (!isAnswered && text.includes('[y/N]')) {
        isAnswered = true;
        child.stdin?.write(answer);
      }
    });
  });
}

test('a shell in the place of QEMU is not run, and what was restored is kept', async () => {
  const evil = join(folder.path, 'evil');
  const id = await uploaded(['/bin/sh', '-c', `touch ${evil}`, '-name', '\x1b]0;title\x07']);
  const { stderr, stdout } = await resume(id);
  expect(existsSync(evil)).toBe(false);
  expect(stderr).toContain('/bin/sh');
  expect(stderr).toContain('--trust-machine');
  expect(stderr).not.toContain('\x1b');
  expect(stderr).toContain(String.raw`$'\x1b]0;title\x07'`);
  expect(stdout).toContain(`to ${join(out, 'migration')}`);
  expect(existsSync(join(out, 'migration'))).toBe(true);
  const script = readFileSync(join(out, 'resume.sh'), 'utf8');
  expect(script).toMatch(/^# pars would not start it[^]*^# {3}\/bin\/sh: /m);
  expect(
    script
      .split('\n')
      .slice(1, 8)
      .every((line) => line.startsWith('#')),
  ).toBe(true);
});

test('without a terminal a harmless machine is not started either, unless it is trusted', async () => {
  const id = await uploaded(['qemu-system-x86_64', '-m', '1G']);
  expect((await resume(id)).stderr).toMatch(/no terminals; --trust-machine starts it/);
  expect(existsSync(started)).toBe(false);
  out = join(folder.path, 'out2');
  const { stderr } = await resume(id, '--trust-machine');
  expect(stderr).toMatch(
    /the snapshot says how its VM is started[^]*qemu-system-x86_64\n {2}-m 1G/,
  );
  expect(readFileSync(started, 'utf8')).toMatch(/^-m 1G /);
});

test('on a terminal it is asked, and only yes starts it', async () => {
  const id = await uploaded(['qemu-system-x86_64', '-m', '1G']);
  expect(await onTerminal(id, '\n')).toContain('the VM was not started');
  expect(existsSync(started)).toBe(false);
  out = join(folder.path, 'out2');
  await onTerminal(id, 'y\n');
  expect(existsSync(started)).toBe(true);
});

test('what opens files of the host is refused by name on a terminal too, and allowed by path', async () => {
  const kernel = join(folder.path, 'vmlinuz');
  const id = await uploaded(['qemu-system-x86_64', '-kernel', kernel]);
  const shown = await onTerminal(id, 'y\n');
  expect(shown).toContain(`-kernel ${kernel}`);
  expect(shown).not.toContain('[y/N]');
  expect(existsSync(started)).toBe(false);
  out = join(folder.path, 'out2');
  const { stderr } = await resume(id, '--trust-path', kernel);
  expect(stderr).toContain('no terminals');
});

test('a script that is only written is said to be read before', async () => {
  const id = await uploaded(['qemu-system-x86_64', '-netdev', 'tap,id=n,script=/tmp/x']);
  const { stderr } = await expectPars(0, ['restore', id, '--out', out, '--resume', 'write'], {
    storeUrl: store.url,
  });
  expect(stderr).toMatch(/read it before:\n {2}-netdev tap,id=n,script=\/tmp\/x: /);
});
