import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { LoadedThreads } from '../../src/pack/loaded-threads.js';

const threadCount = 2;
/** A module that loads later in each thread than in the one before, and counts both ends of that. */
const slowModule = `
import { setTimeout } from 'node:timers/promises';
import { threadId, workerData } from 'node:worker_threads';
const counts = new Int32Array(workerData);
await setTimeout(100 * Atomics.add(counts, 0, 1));
Atomics.add(counts, 1, 1);
export default () => threadId;
`;

let folder: string;
let filename: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-loaded-threads-'));
  filename = join(folder, 'slow.mjs');
  writeFileSync(filename, slowModule);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Started {
  readonly piscina: Piscina;
  readonly threads: LoadedThreads;
  /** How many have begun to load, and how many have loaded. */
  readonly counts: Int32Array;
}

function start(minThreads: number): Started {
  const workerData = new SharedArrayBuffer(8);
  const piscina = new Piscina({
    filename,
    minThreads,
    maxThreads: threadCount,
    idleTimeout: Infinity,
    workerData,
  });
  return { piscina, threads: new LoadedThreads(piscina), counts: new Int32Array(workerData) };
}

test('threads that start with the pool are waited for', async () => {
  const { piscina, threads, counts } = start(threadCount);
  await threads.wait();
  expect([...counts]).toEqual([threadCount, threadCount]);
  await threads.wait();
  await piscina.close();
});

test('a thread that starts for a job which another one does is waited for', async () => {
  const { piscina, threads, counts } = start(0);
  await Promise.all(Array.from({ length: threadCount }, () => piscina.run(undefined)));
  await threads.wait();
  expect(counts[1]).toBe(counts[0]);
  expect(counts[1]).toBe(piscina.threads.length);
  await piscina.close();
});

test('a pool without threads has nothing to wait for, nor one whose threads cannot load', async () => {
  const { piscina, threads } = start(0);
  await threads.wait();
  await piscina.close();

  const failing = new Piscina({ filename: join(folder, 'none.mjs'), minThreads: 1, maxThreads: 1 });
  failing.on('error', () => undefined);
  await new LoadedThreads(failing).wait();
  await failing.close();
});
