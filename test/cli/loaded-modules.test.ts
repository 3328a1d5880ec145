// Help is there at once because nothing is loaded for it but the parser of the command line. Told by the modules that
// Node really resolves, not by a clock.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodeOfError } from '../../src/cli/shared/exit-code.js';
import { expectPars } from '../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';

const reporter = fileURLToPath(new URL('report-modules.mjs', import.meta.url));

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

interface Loaded {
  /** By name, each once. */
  readonly packages: readonly string[];
  /** Below dist/. */
  readonly ownFiles: readonly string[];
}

async function modulesLoadedBy(
  exitCode: number,
  commandArguments: readonly string[],
): Promise<Loaded> {
  const report = join(folder.path, 'modules');
  await expectPars(exitCode, commandArguments, {
    nodeArguments: ['--import', reporter],
    environment: { PARS_TEST_MODULES: report },
  });
  const urls = readFileSync(report, 'utf8').trim().split('\n');
  const captured = (pattern: RegExp) =>
    [...new Set(urls.map((url) => pattern.exec(url)?.[1]))]
      .filter((name) => name !== undefined)
      .sort();
  return {
    packages: captured(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    ownFiles: captured(/\/dist\/(.*)$/),
  };
}

test.each([
  [['--help']],
  [['--version']],
  [['help']],
  [['upload', '--help']],
  [['restore', '--help']],
  [['hook', 'run', '--help']],
])('pars %j loads commander and nothing else', async (commandArguments) => {
  expect(await modulesLoadedBy(0, commandArguments)).toEqual({
    packages: ['commander'],
    ownFiles: [
      'introspect/pars-error.js',
      'src/cli/shared/exit-code.js',
      'src/cli/shared/exit-promise.js',
      'src/cli/hook/callers-program.js',
      'src/cli/hook/program.js',
      'src/cli/main.js',
      'src/cli/shared/report-error.js',
      'src/cli/shared/store-option.js',
      'src/store/kind.js',
      'src/store/kinds.js',
      'src/store/local/kind.js',
      'src/store/local/url.js',
      'src/store/memory/kind.js',
      'src/store/memory/url.js',
      'src/store/webhdfs/kind.js',
      'src/store/webhdfs/url.js',
      'src/text/either-of.js',
      'src/text/standard-streams.js',
      'src/text/visible-text.js',
    ],
  });
});

test('a wrong command line loads nothing more either', async () => {
  expect((await modulesLoadedBy(2, ['upload', '--json'])).packages).toEqual(['commander']);
});

test('a command loads what it needs, and no client of the store that it does not talk to', async () => {
  // There is no such store, which takes the store's own code to find out.
  const { packages, ownFiles } = await modulesLoadedBy(exitCodeOfError['not-found'], [
    'list',
    '--store',
    `file://${folder.path}/store`,
  ]);
  // So the report would show them above.
  expect(packages).toEqual(expect.arrayContaining(['msgpackr', 'zod']));
  expect(ownFiles).toContain('src/store/local/local-store.js');
  expect(ownFiles.filter((path) => path.startsWith('src/store/webhdfs/webhdfs-store'))).toEqual([]);
});
