// Who may speak as a VM's QEMU: root or this user, and nobody else.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, lchownSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { QmpClient } from '../../src/vm/qmp/qmp-client.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { FakeQemu } from '../vm/qmp/fake-qemu.js';
import { makeFolderOfOther, otherUser, testAsRoot } from './other-user.js';

let folder: TemporaryFolder;
let path: string;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  path = join(folder.path, 'qmp.sock');
});
afterEach(async () => {
  for (const close of closing.splice(0)) {
    await close();
  }
  await folder.remove();
});

async function listen(at: string): Promise<Server> {
  const server = createServer().listen(at);
  await once(server, 'listening');
  closing.push(() => server.close());
  return server;
}

const refusal = (message: RegExp) => ({
  code: 'permission-denied',
  message: expect.stringMatching(message) as string,
});

test('a socket of this user, also by a link of his, is spoken to', async () => {
  const fake = await FakeQemu.listen(path, { answers: {} });
  closing.push(() => fake.close());
  const link = join(folder.path, 'link');
  symlinkSync('qmp.sock', link);
  (await QmpClient.connect(link)).close();
});

testAsRoot("another user's socket is not spoken to", async () => {
  const server = await listen(path);
  let connections = 0;
  server.on('connection', () => connections++);
  chownSync(path, otherUser, otherUser);
  await expect(QmpClient.connect(path)).rejects.toMatchObject(refusal(/belongs to \S+ \(65534\)/));
  expect(connections).toBe(0);
});

testAsRoot("a socket in another user's folder, or behind his link, is not spoken to", async () => {
  const his = join(makeFolderOfOther(join(folder.path, 'his')), 'qmp.sock');
  await listen(his);
  await expect(QmpClient.connect(his)).rejects.toMatchObject(refusal(/on the way to/));
  await listen(path);
  const link = join(folder.path, 'link');
  symlinkSync('qmp.sock', link);
  lchownSync(link, otherUser, otherUser);
  await expect(QmpClient.connect(link)).rejects.toMatchObject(refusal(/symbolic link/));
});

testAsRoot("root's socket that another user's process serves is not spoken to", async () => {
  const program = `
    require('node:net').createServer().listen(${JSON.stringify(path)}, () => {
      process.setuid(${otherUser});
      console.log('listening');
    });`;
  const child: ChildProcess = spawn(process.execPath, ['-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closing.push(() => child.kill('SIGKILL'));
  await once(child.stdout ?? child, 'data');
  chmodSync(path, 0o600);
  await expect(QmpClient.connect(path)).rejects.toMatchObject(
    refusal(/is served by process \d+ of \S+ \(65534\)/),
  );
});
