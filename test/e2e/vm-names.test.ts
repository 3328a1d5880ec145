// VMs whose names differ in letters that no path of a store holds: the hook and its retention keep each by itself.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { liveStream } from '../introspect/memory/migration-sample.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const stepTimeoutMs = 300_000;
const maxLookCount = 300;
const listAnswer = z.array(z.object({ id: z.string(), vm: z.string() }));
type Listed = z.infer<typeof listAnswer>[number];

let folder: TemporaryFolder;
let storeUrl: string;
let config: string;
let drop: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  storeUrl = new LocalStoreFolder(join(folder.path, 'store')).url;
  drop = join(folder.path, 'drop');
  mkdirSync(drop);
  config = join(folder.path, 'pars.yaml');
  const spool = join(folder.path, 'spool');
  writeFileSync(
    config,
    `store: ${storeUrl}\nspool: {path: ${spool}}\nretention: {keepLast: 1}\nvms: {数据库: {policy: strict}}\n`,
  );
});
afterEach(() => folder.remove());

async function listed(): Promise<readonly Listed[]> {
  return listAnswer.parse((await expectPars(0, ['list', '--json'], { storeUrl })).json);
}

/** The hook sends in the background, and lets old snapshots go afterwards. */
async function takeUntil(
  isThere: (list: readonly Listed[]) => boolean,
): Promise<readonly Listed[]> {
  await expectPars(0, ['hook', 'dir', drop, '--settle', '1s', '--config', config]);
  for (let look = 0; look < maxLookCount; look++) {
    const list = await listed();
    if (isThere(list)) {
      return list;
    }
    await sleep(500);
  }
  throw new Error(`found ${JSON.stringify(await listed())}`);
}

const vmsOf = (list: readonly Listed[]): readonly string[] => list.map(({ vm }) => vm).toSorted();
const idOf = (list: readonly Listed[], vm: string) => list.find((item) => item.vm === vm)?.id ?? '';

test(
  'retention leaves the newest of each name, and what programs of before stored under one name for both',
  async () => {
    const image = join(folder.path, 'old');
    writeFileSync(image, liveStream());
    await expectPars(20, ['upload', image, '--name', '-'], { storeUrl });
    const names = ['数据库', '服务器'];
    const expected = ['-', ...names].toSorted();
    const put = (name: string): void => {
      writeFileSync(join(drop, `${name}.migration`), liveStream());
    };
    names.forEach(put);
    const first = await takeUntil((list) => list.length === 3);
    expect(vmsOf(first)).toEqual(expected);
    put(names[0]);
    const isNew = (list: readonly Listed[]): boolean =>
      list.every(({ id }) => id !== idOf(first, names[0]));
    const second = await takeUntil((list) => list.length === 3 && isNew(list));
    expect(vmsOf(second)).toEqual(expected);
    for (const name of names) {
      await expectPars(0, ['forget', '--name', name, '--keep-last', '1'], { storeUrl });
    }
    expect(await listed()).toEqual(second);
    expect(idOf(second, names[1])).toBe(idOf(first, names[1]));
    const { stdout } = await expectPars(0, ['show', idOf(second, names[1])], { storeUrl });
    expect(stdout).toMatch(/^vm +服务器$/m);
  },
  stepTimeoutMs,
);
