// Two VMs of one name in one store: each is told, and kept by itself.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { liveStream } from '../introspect/memory/migration-sample.js';
import { uploadAnswer } from './command-answers.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

let folder: TemporaryFolder;
let storeUrl: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  storeUrl = new LocalStoreFolder(join(folder.path, 'store')).url;
  await writeFile(join(folder.path, 'image'), liveStream());
});
afterEach(() => folder.remove());

async function upload(...more: readonly string[]): Promise<string> {
  const words = ['upload', join(folder.path, 'image'), '--name', 'web', '--json', ...more];
  return uploadAnswer.parse((await expectPars(20, words, { storeUrl })).json).id;
}

test("a VM's snapshots are not deleted for those of another with its name, and both are told", async () => {
  const [first, second] = [await upload('--vm-id', 'a'), await upload('--vm-id', 'a')];
  const others = [await upload('--vm-id', 'b'), await upload()];
  const { stderr } = await expectPars(0, ['list'], { storeUrl });
  expect(stderr).toMatch(/3 VMs are called web.*\(id a\), \(id b\), \(no identity\)/);
  const shown = await expectPars(0, ['show', second], { storeUrl });
  expect(shown.stdout).toMatch(/^identity {3}id a$/m);
  expect(shown.stderr).toContain('3 VMs are called web');
  const rule = ['forget', '--name', 'web', '--keep-last', '1'];
  const planned = await expectPars(0, [...rule, '--dry-run'], { storeUrl });
  expect(planned.stderr).toContain('3 VMs are called web');
  expect(planned.stdout).toMatch(new RegExp(`${first}.*would be removed`));
  await expectPars(0, rule, { storeUrl });
  const { json } = await expectPars(0, ['list', '--json'], { storeUrl });
  expect((json as readonly { id: string }[]).map(({ id }) => id).toSorted()).toEqual(
    [second, ...others].toSorted(),
  );
});

test('an id that cannot be shown is refused before anything is done', async () => {
  const words = ['upload', join(folder.path, 'image'), '--name', 'web', '--vm-id', 'a b'];
  expect((await expectPars(2, words, { storeUrl })).stderr).toContain('--vm-id: expected 1 to 128');
});
