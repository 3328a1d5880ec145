// One capture of a VM at a time: by QEMU's own process, which nobody but its user and root may look into.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLockedVm } from '../../../src/vm/capture/vm-lock.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';
import { otherUser, testAsRoot } from '../../host/other-user.js';
import { FakeQemu } from '../qmp/fake-qemu.js';

let folder: TemporaryFolder;
const fakes: FakeQemu[] = [];
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(async () => {
  await Promise.all(fakes.splice(0).map((fake) => fake.close()));
  await folder.remove();
});

/** A monitor of the VM whose vCPU this process stands for. */
async function listen(name: string): Promise<string> {
  const path = join(folder.path, name);
  const answers = { 'query-cpus-fast': () => ({ return: [{ 'thread-id': process.pid }] }) };
  fakes.push(await FakeQemu.listen(path, { answers }));
  return path;
}

test('a VM is had once, whichever of its sockets it is reached by', async () => {
  const [one, two] = [await listen('one.sock'), await listen('two.sock')];
  await withLockedVm(one, async () => {
    await expect(withLockedVm(two, () => Promise.resolve(), 10)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('another process is capturing the VM') as string,
    });
  });
  expect(await withLockedVm(two, () => Promise.resolve('had'))).toBe('had');
});

testAsRoot('another user cannot take it', async () => {
  const path = `/proc/${process.pid}/environ`;
  const attempt = spawnSync('setpriv', [
    ...[`--reuid=${otherUser}`, `--regid=${otherUser}`, '--clear-groups'],
    ...['flock', '-n', path, 'true'],
  ]);
  // It cannot open the file.
  expect(attempt.status).toBe(66);
  await withLockedVm(await listen('one.sock'), ({ lock }) => {
    const open = readdirSync('/proc/self/fd').includes(String(lock.fd));
    expect(open && readFileSync(`/proc/self/fdinfo/${lock.fd}`, 'utf8')).toContain('FLOCK');
    expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(1);
    return Promise.resolve();
  });
});
