// A slice of the long run (run.ts): one guest under load, taken twice while it runs, and what came of it.
import { join } from 'node:path';
import { LocalStoreFolder } from '../e2e/local-store-folder.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { sliceOf } from '../slice.js';
import { bootLiveGuest, type LiveGuest } from './live-guest.js';
import { takeLiveSnapshot } from './take-live-snapshot.js';

const setUpTimeoutMs = 300_000;
const testTimeoutMs = 180_000;
/** Seconds would mean that the VM stood still while its RAM was written. */
const downtimeLimitMs = 2000;

let folder: TemporaryFolder;
let live: LiveGuest;
let store: LocalStoreFolder;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  store = new LocalStoreFolder(join(folder.path, 'store'));
  live = await bootLiveGuest(folder.path);
}, setUpTimeoutMs);

afterAll(async () => {
  await (live as LiveGuest | undefined)?.close();
  await folder.remove();
});

test.each(sliceOf(['RAM and disks', 'RAM'] as const, 1))(
  'a guest under load that is captured live, %s, is of one moment, and runs on from it',
  async (extent) => {
    const outcome = await takeLiveSnapshot(live, extent, store.url, join(folder.path, 'snapshot'));
    expect(outcome.wrong).toEqual([]);
    expect(outcome.way).toBe('background-snapshot');
    expect(outcome.downtimeMs).toBeGreaterThan(0);
    expect(outcome.downtimeMs).toBeLessThan(downtimeLimitMs);
    expect(outcome.records.synced).toBeGreaterThan(0);
    process.stdout.write(
      `${extent}: stood still for ${outcome.downtimeMs.toFixed(1)} ms, ${outcome.gapMs.toFixed(1)} ms between two ticks\n`,
    );
  },
  testTimeoutMs,
);
