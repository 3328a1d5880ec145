// The harness itself: everything else that is tested with guests rests on a
// resumed copy being the same machine as the one that was stopped.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootGuest, resumeGuest } from './guest.js';
import { openSnapshot } from './guest-snapshot.js';
import { Kpageflags } from './kpageflags.js';

const TEST_TIMEOUT_MS = 240_000;
const MIB = 1 << 20;
const PAGE_SIZE_BYTES = 4096;

/** The process that reads kpageflags moves a few pages of its own. */
const RESTLESS_PAGE_COUNT_LIMIT = 1000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-guest-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test(
  'a resumed copy holds what the stopped guest held and sees the same page flags',
  async () => {
    const ramSizeMib = 512;
    const guest = await bootGuest({ ramSizeMib });
    let guestPid: number;
    try {
      guestPid = guest.pid;
      const checksums = await guest.checksums();
      expect([...checksums.keys()]).toEqual(
        expect.arrayContaining(['files/modified', 'shm/random', 'unlinked', 'anonymous', 'huge']),
      );
      await guest.snapshot(join(folder, 'snapshot'));

      const snapshot = openSnapshot(join(folder, 'snapshot'));
      const ram = readFileSync(snapshot.ramPath);
      expect(ram.length).toBe(ramSizeMib * MIB);
      expect(statSync(snapshot.statePath).size).toBeLessThan(4 * MIB);
      const before = Kpageflags.fromFile(snapshot.kpageflagsPath);
      expect(before.pfnCount).toBe((ramSizeMib * MIB) / PAGE_SIZE_BYTES);
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
        expect(await resumed.checksums()).toEqual(checksums);
        expect(readFileSync(snapshot.ramPath).equals(ram)).toBe(true);
      } finally {
        await resumed.close();
      }
    } finally {
      await guest.close();
    }
    expect(existsSync(guest.ramPath)).toBe(false);
    expect(() => process.kill(guestPid, 0)).toThrow('ESRCH');
  },
  TEST_TIMEOUT_MS,
);
