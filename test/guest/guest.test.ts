// The harness itself: everything else that is tested with guests rests on a
// resumed copy being the same machine as the one that was stopped.

import { existsSync, statSync } from 'node:fs';
import { sha256Of } from '../e2e/file-hash.js';
import { fixtureGuest } from './fixtures.js';
import { resumeGuest } from './guest.js';
import { Kpageflags } from './kpageflags.js';

const TEST_TIMEOUT_MS = 400_000;
const MIB = 1 << 20;
const PAGE_SIZE_BYTES = 4096;

/** The process that reads kpageflags moves a few pages of its own. */
const RESTLESS_PAGE_COUNT_LIMIT = 1000;

test(
  'a resumed copy holds what the stopped guest held and sees the same page flags',
  async () => {
    const snapshot = await fixtureGuest('aged');
    expect([...snapshot.checksums.keys()]).toEqual(
      expect.arrayContaining(['files/modified', 'shm/random', 'unlinked', 'anonymous', 'huge']),
    );
    const ramSizeBytes = 512 * MIB;
    expect(statSync(snapshot.ramPath).size).toBe(ramSizeBytes);
    expect(statSync(snapshot.statePath).size).toBeLessThan(4 * MIB);
    const hash = await sha256Of(snapshot.ramPath);
    const before = Kpageflags.fromFile(snapshot.kpageflagsPath);
    expect(before.pfnCount).toBe(ramSizeBytes / PAGE_SIZE_BYTES);
    for (const name of ['buddy', 'slab', 'anon', 'dirty', 'thp', 'pageTable'] as const) {
      expect(before.count(name)).toBeGreaterThan(0);
    }

    const resumed = await resumeGuest(snapshot);
    try {
      const { flags: after } = await resumed.pageRecord(1);
      expect(after.pfnCount).toBe(before.pfnCount);
      let changedCount = 0;
      for (let pfn = 0; pfn < before.pfnCount; pfn++) {
        if (after.at(pfn) !== before.at(pfn)) {
          changedCount++;
        }
      }
      expect(changedCount).toBeLessThan(RESTLESS_PAGE_COUNT_LIMIT);
      expect(await resumed.checksums()).toEqual(snapshot.checksums);
      expect(await sha256Of(snapshot.ramPath)).toBe(hash);
    } finally {
      await resumed.close();
    }
    expect(existsSync(resumed.ramPath)).toBe(false);
    expect(() => process.kill(resumed.pid, 0)).toThrow('ESRCH');
  },
  TEST_TIMEOUT_MS,
);
