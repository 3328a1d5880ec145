// The package as users get it: packed, installed into an empty folder, run by its name, and imported with its types.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile as readText, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { packagesOfProgram } from '../cli/program-files.js';
import { fixtureGuest } from '../guest/fixtures.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const installTimeoutMs = 180_000;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pars-package-'));
  // Scripts are left out: dist/ is built already, and must be complete as it is.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await run('npm', ['install', '--prefer-offline', '--no-audit', join(folder, archive ?? '')], {
    cwd: folder,
  });
}, installTimeoutMs);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('pars is on the path and tells its version', async () => {
  const { stdout } = await run(join(folder, 'node_modules/.bin/pars'), ['--version']);
  expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
});

test('the licence of every package in the files of the program is with them', async () => {
  const program = join(folder, 'node_modules/pars/dist/program');
  const licences = await readText(join(program, 'LICENSES.txt'), 'utf8');
  const packages = packagesOfProgram();
  expect(packages).toEqual(expect.arrayContaining(['commander', 'zod']));
  for (const name of packages) {
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(.+\\)$`, 'm'));
  }
});

test('a snapshot goes in and comes back, worker threads included', async () => {
  const image = join(folder, 'image');
  await writeFile(image, Buffer.alloc(64 * 4096, 'not a kernel, and compressible '));
  const pars = join(folder, 'node_modules/.bin/pars');
  const store = `file://${join(folder, 'store')}`;
  const upload = await run(pars, [
    'upload',
    image,
    '--name',
    'x',
    '--store',
    store,
    '--json',
  ]).catch(
    // 20: stored with every page critical, as it holds no kernel.
    (error: unknown) => error as { code: number; stdout: string },
  );
  expect(upload).toMatchObject({ code: 20 });
  const { id } = JSON.parse(upload.stdout) as { id: string };
  await run(pars, ['restore', id, '--store', store, '--out', join(folder, 'image-out')]);
  await run('cmp', [image, join(folder, 'image-out/ram')]);
});

test('the example of docs/library.md stores a guest and gives it back', async () => {
  const { ramPath, statePath } = await fixtureGuest('aged');
  await writeFile(join(folder, 'example.mjs'), exampleOf(join(root, 'docs/library.md')));
  const store = `file://${join(folder, 'example-store')}`;
  await run(process.execPath, ['example.mjs', store, ramPath, statePath], { cwd: folder });
  await run('cmp', [ramPath, join(folder, 'out/ram')]);
  await run('cmp', [statePath, join(folder, 'out/state')]);
});

test('its exports are typed, and so is the example of docs/library.md', async () => {
  await writeFile(join(folder, 'example.ts'), exampleOf(join(root, 'docs/library.md')));
  await writeFile(
    join(folder, 'use.ts'),
    `import { openStore, pageClasses, planReplication, defaultPolicy, type Store } from 'pars';
     import { classify, type PageMap } from 'pars/introspect';
     export const open: (url: string) => Promise<Store> = (url) => openStore(url);
     export const plan = (map: PageMap) => planReplication(map, defaultPolicy).replication;
     export const labels: readonly string[] = pageClasses.map(({ label }) => label);
     // @ts-expect-error a page map is no introspected image
     export const wrong = (map: PageMap) => classify(map);`,
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  await run(process.execPath, [tsc, ...options, ...types, 'use.ts', 'example.ts'], {
    cwd: folder,
  });
});

function exampleOf(page: string): string {
  const code = /^```ts\n(.*?)^```$/ms.exec(readFileSync(page, 'utf8'))?.[1];
  if (code === undefined) {
    throw new Error(`expected an example in ${page}, found none`);
  }
  return code;
}
