// Locks between processes, which end with the last process that has them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lockCapture, tryLock, waitForLock, withSpoolLock } from '../../src/spool/lock.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';

let folder: TemporaryFolder;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
  }
  await folder.remove();
});

test('a lock is had once, until it is released', async () => {
  const lock = await tryLock(folder.path, 'upload', 'web');
  expect(lock).toBeDefined();
  expect(await tryLock(folder.path, 'upload', 'web')).toBeUndefined();
  await lock?.release();
  const again = await tryLock(folder.path, 'upload', 'web');
  expect(again).toBeDefined();
  await again?.release();
});

test('locks of another kind, VM or spool are others', async () => {
  const other = join(folder.path, 'other');
  await mkdir(other);
  const locks = await Promise.all([
    tryLock(folder.path, 'upload', 'web'),
    tryLock(folder.path, 'capture', 'web'),
    tryLock(folder.path, 'upload', 'db'),
    tryLock(other, 'upload', 'web'),
  ]);
  expect(locks.every((lock) => lock !== undefined)).toBe(true);
  for (const lock of locks) {
    await lock?.release();
  }
});

test('a child that was given the lock has it until it is killed', async () => {
  const lock = await tryLock(folder.path, 'upload', 'web');
  expect(lock).toBeDefined();
  const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', lock?.fd ?? -1] });
  children.push(child);
  await once(child, 'spawn');
  await lock?.release();
  expect(await tryLock(folder.path, 'upload', 'web')).toBeUndefined();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = await tryLock(folder.path, 'upload', 'web');
  expect(again).toBeDefined();
  await again?.release();
});

test('who waits gets the lock when it is free, and says so when it is not', async () => {
  const lock = await tryLock(folder.path, 'upload', 'web');
  await expect(waitForLock(folder.path, 'upload', 'web', { timeoutMs: 10 })).rejects.toMatchObject({
    code: 'unavailable',
  });
  const waiting = waitForLock(folder.path, 'upload', 'web', { timeoutMs: 20_000 });
  await lock?.release();
  await (await waiting).release();
});

test('a capture waits for who looks after what another one left, and for no other VM', async () => {
  const cleaning = await tryLock(folder.path, 'capture', 'web');
  const waiting = lockCapture(folder.path, 'web', undefined);
  const other = await lockCapture(folder.path, 'db', undefined);
  expect(other).toBeDefined();
  await other?.release();
  await cleaning?.release();
  const lock = await waiting;
  expect(lock).toBeDefined();
  await lock?.release();
});

test('who is stopped waits no longer', async () => {
  const lock = await tryLock(folder.path, 'upload', 'web');
  const abort = new AbortController();
  const waiting = waitForLock(folder.path, 'upload', 'web', {
    timeoutMs: 20_000,
    signal: abort.signal,
  });
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  await lock?.release();
});

test('changes of the spool come one after the other', async () => {
  let insideCount = 0;
  const work = async (): Promise<void> => {
    insideCount++;
    expect(insideCount).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    insideCount--;
  };
  await Promise.all(Array.from({ length: 5 }, () => withSpoolLock(folder.path, work)));
  expect(insideCount).toBe(0);
});
