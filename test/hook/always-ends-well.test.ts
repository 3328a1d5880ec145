// The hooks whose exit code is always 0: libvirt and vzdump would make a failure the VM's, or the backup's. Every way in
// which they could fail is one of the table.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fileOfSource } from '../cli/program-files.js';
import { type CommandOptions, parsMain, runPars, startPars } from '../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { unseenIn } from '../text/hostile-text.js';
import { FakeQemu, type FakeQemuOptions } from '../vm/qmp/fake-qemu.js';

let folder: TemporaryFolder;
let fake: FakeQemu | undefined;
let config: string;
let saves: string;

beforeEach(async () => {
  folder = await makeTemporaryFolder();
  config = join(folder.path, 'pars.yaml');
  saves = join(folder.path, 'save');
  writeFileSync(
    config,
    `store: webhdfs://127.0.0.1:1/pars\nspool: { path: ${join(folder.path, 'spool')} }\n`,
  );
  mkdirSync(saves);
  writeFileSync(join(saves, 'web.save'), 'a managed save');
});
afterEach(async () => {
  await fake?.close();
  fake = undefined;
  await folder.remove();
});

/** The two hooks, come to where each does its work. */
const hooks = {
  proxmox: (...more: readonly string[]) => [
    ...['hook', 'proxmox', '--config', config, '--qmp', join(folder.path, '%.qmp'), ...more],
    ...['--', 'backup-start', 'snapshot', '105'],
  ],
  libvirt: (...more: readonly string[]) => [
    ...['hook', 'libvirt', '--config', config, '--save-folder', saves, ...more],
    ...['--', 'web', 'release', 'end', '-'],
  ],
};
type Hook = keyof typeof hooks;
const each = Object.keys(hooks) as readonly Hook[];

async function listen(options: FakeQemuOptions): Promise<void> {
  fake = await FakeQemu.listen(join(folder.path, '105.qmp'), options);
}

/** As vzdump has it. */
const environment = { VMTYPE: 'qemu', HOSTNAME: 'web' };

/** What it said on standard error. */
async function expectEndsWell(
  words: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await runPars(words, { ...options, environment });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr });
  expect(unseenIn(stdout)).toEqual([]);
  expect(unseenIn(stderr)).toEqual([]);
  return stderr;
}

/** A module that is loaded before pars, and waits until the hook has begun. */
function preload(code: string): CommandOptions {
  const path = join(folder.path, 'preload.mjs');
  writeFileSync(
    path,
    `const timer = setInterval(() => {
      if (!process.listeners('exit').some((listener) => /exitCode = 0/.test(listener))) return;
      clearInterval(timer);
      ${code}
    }, 1);`,
  );
  return { nodeArguments: ['--import', pathToFileURL(path).href] };
}

/** As if an update of pars had been cut short. */
function withoutSource(source: string): CommandOptions {
  const hooks = `export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    if (found.url.endsWith(${JSON.stringify(`/${fileOfSource(source)}`)})) throw new Error('no such module');
    return found;
  }`;
  const path = join(folder.path, 'without-module.mjs');
  writeFileSync(
    path,
    `import { register } from 'node:module';
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`,
  );
  return { nodeArguments: ['--import', pathToFileURL(path).href] };
}

test.each([
  ['null', { greeting: 'null\n' }],
  ['an error of nothing', { before: { 'query-cpus-fast': ['{"error": null}'] } }],
  ['an array', { before: { 'query-cpus-fast': ['[]'] } }],
  ['an answer of another form', { answers: { 'query-cpus-fast': () => ({ return: null }) } }],
  [
    'a refusal with a terminal in it',
    {
      answers: {
        'query-cpus-fast': () => ({
          error: { class: 'GenericError', desc: '\u001b[2J\u009b\u202e\npars: all is well' },
        }),
      },
    },
  ],
])('proxmox, when QMP says %s', async (_, options: FakeQemuOptions) => {
  await listen(options);
  const said = await expectEndsWell(hooks.proxmox());
  expect(said).toContain('the backup goes on without it: ');
  expect(said).not.toContain('a defect of pars');
  expect(said).not.toMatch(/^pars: all is well/m);
});

test('libvirt, for a domain whose name is a terminal, and another whose name is a path', async () => {
  for (const domain of ['\u001b[2J\u009b\nx', '../../etc/passwd', '', '-', 'x'.repeat(5000)]) {
    await expectEndsWell([...hooks.libvirt().slice(0, -4), domain, 'release', 'end', '-']);
  }
});

describe.each(each)('%s', (name) => {
  const call = (...more: readonly string[]): readonly string[] => hooks[name](...more);

  test.each([
    ['is absent', () => ['--config', join(folder.path, 'none.yaml')]],
    ['is a folder', () => ['--config', folder.path]],
    ['is no YAML', () => (writeFileSync(config, '{{{{ \u001b[2J'), [])],
    ['has a wrong key', () => (writeFileSync(config, 'stroe: "\u001b[2J"\n'), [])],
    [
      'names a spool that is a file',
      () => {
        writeFileSync(config, `store: file:///x\nspool: { path: ${config} }\n`);
        return [];
      },
    ],
  ])('when the configuration %s', async (_, more: () => readonly string[]) => {
    expect(await expectEndsWell(call(...more()))).not.toBe('');
  });

  test('when it is called wrongly', async () => {
    for (const words of [
      ['hook', name],
      ['hook', name, '--bogus', '--', 'x'],
      ['hook', name, '--config'],
      ['hook', name, '--json'],
    ]) {
      expect(await expectEndsWell(words)).not.toBe('');
    }
    await expectEndsWell(['hook', name, '--', '']);
  });

  test('when its own file cannot be loaded', async () => {
    const said = await expectEndsWell(call(), withoutSource(`src/cli/hook/${name}.ts`));
    expect(said).toContain('no such module');
    const { exitCode } = await runPars(
      ['hook', 'list', '--config', config, '--', name],
      withoutSource('src/cli/hook/list.ts'),
    );
    expect(exitCode).toBe(1);
  });

  test('when nobody reads what it says, or it cannot be written', async () => {
    const { child, ended } = startPars(call('--config', '/nowhere'), { environment });
    child.stdout?.destroy();
    child.stderr?.destroy();
    expect((await ended).exitCode).toBe(0);
    const words = [process.execPath, parsMain, ...call('--config', '/nowhere')];
    const script = '"$@" >/dev/full 2>/dev/full';
    expect(spawnSync('sh', ['-c', script, 'sh', ...words]).status).toBe(0);
  });

  test.each([
    ['a defect', 'throw new TypeError("a\\u001b[2J\\nb");'],
    ['a promise that nobody waits for', 'Promise.reject(new Error("a\\u001b[2J"));'],
    ['a promise rejected with nothing', 'Promise.reject(undefined);'],
    ['process.exit', 'process.exit(7);'],
  ])('after %s', async (_, code) => {
    // Says nothing, so that the hook is still waiting.
    await listen({ greeting: '' });
    const { exitCode, stderr } = await runPars(call(), { ...preload(code), environment });
    expect(exitCode).toBe(0);
    expect(unseenIn(stderr)).toEqual([]);
  });
});

test('other commands tell their failures as before', async () => {
  expect((await runPars(['hook', 'list', '--config', '/nowhere'])).exitCode).toBe(2);
  expect((await runPars(['hook', 'bogus'])).exitCode).toBe(2);
  const outcome = await runPars(['hook', 'list', '--config', config], {
    nodeArguments: [
      '--import',
      'data:text/javascript,setTimeout(() => Promise.reject(new Error("\\u001b[2J")), 1)',
    ],
  });
  expect(outcome.exitCode).toBe(1);
});
