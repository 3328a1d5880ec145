// pars forget on a real store: what the rule does not keep is gone, with its files; and where anything is in doubt, all of
// it stays.

import { join } from 'node:path';
import { z } from 'zod';
import { bodyName, manifestName, packName } from '../../src/catalog/names.js';
import { exitCodeOfError, exitCodes } from '../../src/cli/shared/exit-code.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { filesBelow, publishSmall, writeText } from '../catalog/small-snapshot.js';
import { errorAnswer } from './command-answers.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { type CommandOptions, expectPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const dayMs = 24 * 3600 * 1000;
const noonMs = Date.UTC(2024, 5, 10, 12);

const forgetAnswer = z.strictObject({
  dryRun: z.boolean(),
  timeZone: z.string(),
  snapshots: z.array(
    z.strictObject({
      id: z.string(),
      vm: z.string(),
      identity: z.null(),
      created: z.string(),
      keptFor: z.array(z.string()),
      outcome: z.string(),
    }),
  ),
});

let folder: TemporaryFolder;
let store: Store;
let options: CommandOptions;

/** The id of a VM's snapshot of a day; each has a pack of its own, and all of a VM share one. */
const idOf = (vm: 'a' | 'b', day: number) => `${vm}${day}`.padEnd(16, '0');
const sharedPack = (vm: 'a' | 'b') => packName(idOf(vm, 0), 1);

beforeEach(async () => {
  folder = await makeTemporaryFolder();
  const { url } = new LocalStoreFolder(join(folder.path, 'store'));
  store = await openStore(url);
  options = { storeUrl: url, environment: { TZ: 'UTC' } };
  for (const vm of ['a', 'b'] as const) {
    for (let day = 0; day < 4; day++) {
      const id = idOf(vm, day);
      const packs = [packName(id, 0), sharedPack(vm)];
      await publishSmall(store, { id, vm, packs, createdMs: noonMs + day * dayMs });
    }
  }
});

afterEach(async () => {
  await store.close();
  await folder.remove();
});

const filesOf = (vm: 'a' | 'b', days: readonly number[]) =>
  days.flatMap((day) => {
    const id = idOf(vm, day);
    return [packName(id, 0), bodyName(id), manifestName(id)];
  });

test('it removes what no rule keeps, with the files that only those name, and says why the others stay', async () => {
  const { json } = await expectPars(
    exitCodes.ok,
    ['forget', '--keep-last', '1', '--keep-daily', '2', '--json'],
    options,
  );
  const { snapshots, timeZone } = forgetAnswer.parse(json);
  expect(timeZone).toBe('UTC');
  expect(snapshots.map(({ id, keptFor, outcome }) => [id, keptFor, outcome])).toEqual(
    (['a', 'b'] as const).flatMap((vm) => [
      [idOf(vm, 0), [], 'removed'],
      [idOf(vm, 1), [], 'removed'],
      [idOf(vm, 2), ['daily'], 'kept'],
      [idOf(vm, 3), ['last', 'daily'], 'kept'],
    ]),
  );
  expect(await filesBelow(store, '')).toEqual(
    [...filesOf('a', [2, 3]), ...filesOf('b', [2, 3]), sharedPack('a'), sharedPack('b')].sort(),
  );
});

test('with --name it leaves the other VMs alone, and as a dry run everything', async () => {
  const command = ['forget', '--name', 'b', '--keep-weekly', '1'];
  const before = await filesBelow(store, '');
  const dry = await expectPars(exitCodes.ok, [...command, '--dry-run'], options);
  expect(dry.stdout).toMatch(/^b0+ +2024-06-10 12:00:00 UTC +b +- would be removed$/m);
  expect(dry.stdout).toMatch(/^b30+ .* weekly snapshot$/m);
  expect(dry.stdout).not.toMatch(/^a/m);
  expect(await filesBelow(store, '')).toEqual(before);

  await expectPars(exitCodes.ok, command, options);
  expect(await filesBelow(store, '')).toEqual(
    [...filesOf('a', [0, 1, 2, 3]), ...filesOf('b', [3]), sharedPack('a'), sharedPack('b')].sort(),
  );
});

test('days are those of the time zone that the host is set to', async () => {
  await publishSmall(store, {
    id: idOf('a', 4),
    vm: 'a',
    packs: [packName(idOf('a', 4), 0)],
    createdMs: Date.UTC(2024, 5, 13, 23),
  });
  const command = ['forget', '--name', 'a', '--keep-daily', '2', '--dry-run', '--json'];
  const keptIn = async (timeZone: string) => {
    const { json } = await expectPars(exitCodes.ok, command, {
      ...options,
      environment: { TZ: timeZone },
    });
    const kept = forgetAnswer.parse(json).snapshots.filter(({ outcome }) => outcome === 'kept');
    return kept.map(({ id }) => id);
  };
  expect(await keptIn('UTC')).toEqual([idOf('a', 2), idOf('a', 4)]);
  expect(await keptIn('Europe/Berlin')).toEqual([idOf('a', 3), idOf('a', 4)]);
});

test('a snapshot of the future stays, with a warning, and takes no place of the others', async () => {
  const id = idOf('a', 9);
  await publishSmall(store, { id, vm: 'a', packs: [packName(id, 0)], createdMs: 2 ** 42 });
  const outcome = await expectPars(
    exitCodes.ok,
    ['forget', '--name', 'a', '--keep-last', '1', '--json'],
    options,
  );
  expect(outcome.stderr).toMatch(new RegExp(`snapshot ${id} is dated in the future .* and kept`));
  const kept = forgetAnswer
    .parse(outcome.json)
    .snapshots.filter((snapshot) => snapshot.outcome === 'kept');
  expect(kept.map(({ id: keptId }) => keptId)).toEqual([idOf('a', 3), id]);
});

test('while a manifest cannot be read nothing is deleted', async () => {
  await writeText(store, manifestName('c'.repeat(16)), 'nonsense');
  const before = await filesBelow(store, '');
  const command = ['forget', '--keep-last', '1', '--json'];
  const outcome = await expectPars(exitCodeOfError.corrupt, command, options);
  expect(errorAnswer.parse(outcome.json).error.message).toMatch(/^nothing was deleted: snapshot c/);
  const dry = await expectPars(exitCodeOfError.corrupt, [...command, '--dry-run'], options);
  expect(dry.stderr).toContain('cannot be read');
  expect(await filesBelow(store, '')).toEqual(before);
});

test.each([
  ['no rule', [], exitCodeOfError.usage, /say what to keep/],
  ['a rule that keeps nothing', ['--keep-last', '0'], exitCodeOfError.usage, /say what to keep/],
  ['a count that is none', ['--keep-daily', '-1'], exitCodeOfError.usage, /--keep-daily "-1"/],
  [
    'a VM without snapshots',
    ['--name', 'a', '--name', 'typo', '--keep-last', '1'],
    exitCodeOfError['not-found'],
    /a VM called "typo"/,
  ],
] as const)('%s is refused, and nothing is deleted', async (_, rule, exitCode, message) => {
  const before = await filesBelow(store, '');
  const outcome = await expectPars(exitCode, ['forget', ...rule, '--json'], options);
  expect(errorAnswer.parse(outcome.json).error.message).toMatch(message);
  expect(await filesBelow(store, '')).toEqual(before);
});
