// A lock that nobody else can have, or keep from us.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tryFileLock } from '../../src/host/file-lock.js';
import { tryLock } from '../../src/spool/lock.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { otherUser, testAsRoot } from './other-user.js';

let folder: TemporaryFolder;
let path: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  path = join(folder.path, 'lock');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
  }
  await folder.remove();
});

/** A process of its own that has the lock, by the system's program. */
async function lockElsewhere(): Promise<ChildProcess> {
  const child = spawn('flock', ['-n', '-F', path, 'sh', '-c', 'echo locked; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

test('two processes exclude each other, and one that is killed has it no more', async () => {
  await tryFileLock(path)?.release();
  const other = await lockElsewhere();
  expect(tryFileLock(path)).toBeUndefined();
  other.kill('SIGKILL');
  await once(other, 'exit');
  const lock = tryFileLock(path);
  expect(lock).toBeDefined();
  expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(1);
  await lock?.release();
  expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(0);
});

test('a lock whose file was removed excludes nobody, so it is not taken for one', async () => {
  const first = tryFileLock(path);
  rmSync(path);
  const second = tryFileLock(path);
  expect(second).toBeDefined();
  expect(tryFileLock(path)).toBeUndefined();
  await first?.release();
  expect(tryFileLock(path)).toBeUndefined();
  await second?.release();
});

testAsRoot(
  'another user can neither take the lock nor wait for it, and his file is none',
  async () => {
    chmodSync(folder.path, 0o755);
    const lock = tryFileLock(path);
    await lock?.release();
    const attempt = spawnSync('setpriv', [
      ...[`--reuid=${otherUser}`, `--regid=${otherUser}`, '--clear-groups'],
      ...['flock', '-n', path, 'true'],
    ]);
    // It cannot open the file.
    expect(attempt.status).toBe(66);
    chownSync(path, otherUser, otherUser);
    expect(() => tryFileLock(path)).toThrow(/could be taken by others.*\(65534\)/);
  },
);

test('a file that others may read could be locked by them, and a link leads elsewhere', () => {
  writeFileSync(path, '', { mode: 0o644 });
  expect(() => tryFileLock(path)).toThrow(/mode 0644/);
  rmSync(path);
  symlinkSync('elsewhere', path);
  expect(() => tryFileLock(path)).toThrow(
    expect.objectContaining({ cause: expect.anything() as unknown }) as Error,
  );
  expect(existsSync(join(folder.path, 'elsewhere'))).toBe(false);
});

test('a name in the abstract that any user can take keeps no lock from us', async () => {
  const words = [folder.path, 'upload', 'web'].join('\0');
  const hash = createHash('sha256').update(words).digest('hex').slice(0, 32);
  const server = createServer().listen(`\0pars-${hash}`);
  try {
    await once(server, 'listening');
    const lock = await tryLock(folder.path, 'upload', 'web');
    expect(lock).toBeDefined();
    await lock?.release();
  } finally {
    server.close();
  }
});
