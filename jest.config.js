import { readFileSync, statfsSync } from 'node:fs';

// What tests store is synced to its disk thousands of times, 10 ms each. Where there is plenty of memory it is kept there.
const inMemory = '/dev/shm';
const wantedBytes = 10 * 2 ** 30;
if (process.env.TMPDIR === undefined && freeBytes(inMemory) >= wantedBytes) {
  process.env.TMPDIR = inMemory;
}

/** Of the folder, and of the machine's memory. */
function freeBytes(folder) {
  try {
    const { bavail, bsize } = statfsSync(folder);
    const available = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
    return Math.min(bavail * bsize, 1024 * Number(available?.[1] ?? 0));
  } catch {
    return 0;
  }
}

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'jest-environment-node-single-context',
  // Most of a run is spent waiting for guests and clusters, so two files at a time even where cores are few.
  maxWorkers: 2,
  // A worker grows with each test file, and clearing memory takes seconds in the end: each file has a worker of its own. With any
  // limit above 0 a worker that is to end may have begun another file, which is then begun again, and what it had started is left.
  workerIdleMemoryLimit: 0,
  // A test that waits for nothing slow is done in milliseconds, and takes a hundred times as long where the machine is loaded or slow.
  testTimeout: 120_000,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // Sources import each other with the `.js` they will have once compiled.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
};
