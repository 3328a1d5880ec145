// Help is there at once because nothing is loaded for it but the parser of the command line, and a command loads no other.
// Told by the files that Node really loads, and the sources in them, not by a clock.

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodeOfError } from '../../src/cli/shared/exit-code.js';
import { expectPars } from '../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { packageOfSource, sourcesOfFile } from './program-files.js';

const reporter = fileURLToPath(new URL('report-modules.mjs', import.meta.url));

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

interface Loaded {
  /** By name, each once. */
  readonly packages: readonly string[];
  /** From the repository's root. */
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
  const sources = urls.flatMap((url) =>
    url.includes('/dist/program/') ? (sourcesOfFile.get(basename(url)) ?? []) : [url],
  );
  const packages = sources.map(packageOfSource);
  const ownFiles = sources.filter((path) => /^(src|introspect)\//.test(path));
  return {
    packages: [...new Set(packages.filter((name) => name !== undefined))].sort(),
    ownFiles: [...new Set(ownFiles)].sort(),
  };
}

const ofEveryRun = [
  'introspect/pars-error.ts',
  'src/cli/commands.ts',
  'src/cli/compile-cache.ts',
  'src/cli/main.ts',
  'src/cli/program.ts',
  'src/cli/shared/command-table.ts',
  'src/cli/shared/exit-code.ts',
  'src/cli/shared/report-error.ts',
  'src/text/standard-streams.ts',
  'src/text/visible-text.ts',
];

test.each([
  [0, ['--help']],
  [0, ['--version']],
  [0, ['help']],
  [2, ['uplaod', '--json']],
] as const)(
  'with exit code %d, pars %j loads commander and nothing else',
  async (exitCode, words) => {
    expect(await modulesLoadedBy(exitCode, words)).toEqual({
      packages: ['commander'],
      ownFiles: ofEveryRun,
    });
  },
);

test('the help of a group loads its table, and none of its commands', async () => {
  expect(await modulesLoadedBy(0, ['hook', '--help'])).toEqual({
    packages: ['commander'],
    ownFiles: [...ofEveryRun, 'src/cli/hook/commands.ts', 'src/cli/shared/exit-promise.ts'].sort(),
  });
});

const hookFiles = ['src/cli/hook/commands.ts', 'src/cli/hook/list.ts', 'src/cli/hook/open.ts'];

test.each([
  [['list', '--help'], ['src/cli/store/list.ts']],
  [['help', 'list'], ['src/cli/store/list.ts']],
  [['hook', 'list', '--help'], hookFiles],
  [['hook', 'list', '--config', 'dir', '--help'], hookFiles],
] as const)('pars %j loads the files of no other command', async (words, files) => {
  const { ownFiles } = await modulesLoadedBy(0, words);
  expect(ownFiles.filter((path) => /^src\/cli\/(?!shared\/)\w+\//.test(path))).toEqual(files);
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
  expect(ownFiles).toContain('src/store/local/local-store.ts');
  expect(ownFiles.filter((path) => path.startsWith('src/store/webhdfs/webhdfs-store'))).toEqual([]);
});
