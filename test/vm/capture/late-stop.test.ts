// A VM that is stopped too late, when QEMU has let it go on already: disks and RAM would be of two moments. That must be
// noticed, and done again.

import { existsSync, statSync } from 'node:fs';
import { putRight } from '../../../src/vm/capture/clean-up/put-right.js';
import { findOwnNodes } from '../../../src/vm/capture/disks/block-graph.js';
import { type CaptureGuard, startGuard } from '../../../src/vm/capture/guard/capture-guard.js';
import { lateStopMs, saveInBackground } from '../../../src/vm/capture/ram/save-in-background.js';
import { readVmFacts } from '../../../src/vm/capture/vm-facts.js';
import { withLockedVm } from '../../../src/vm/capture/vm-lock.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';
import { bootGuest, type Guest } from '../../guest/guest.js';

const setUpTimeoutMs = 300_000;

let folder: TemporaryFolder;
let guest: Guest;
let guard: CaptureGuard;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  guest = await bootGuest({ hasPrivateRam: true, ramSizeMib: 256, workload: 'programs' });
}, setUpTimeoutMs);

afterAll(async () => {
  (guard as CaptureGuard | undefined)?.release();
  await (guest as Guest | undefined)?.close();
  await folder.remove();
});

test('the longer the pages take, the later the stop; few of them, or who knows how many, are stopped first', () => {
  expect(lateStopMs(2 ** 28, 2 ** 28)).toBeUndefined();
  expect(lateStopMs(2 ** 31, 2 ** 31)).toBeGreaterThan(
    2 * (lateStopMs(2 ** 29, 2 ** 29) ?? Infinity),
  );
  expect(lateStopMs(2 ** 30, 0)).toBeUndefined();
  expect(lateStopMs(2 ** 33, 0)).toBeLessThan(lateStopMs(2 ** 33, 2 ** 31) ?? 0);
  expect(lateStopMs(2 ** 33, undefined)).toBeUndefined();
});

test('a stop that comes too late is made good by another one, and leaves nothing in the VM', async () => {
  const checksums = await guest.checksums();
  const phases: string[] = [];
  await withLockedVm(guest.qmpSocketPath, async ({ qmp, lock }) => {
    guard = await startGuard(folder.path, lock);
    const facts = await readVmFacts(qmp);
    const started = Date.now();
    const saved = await saveInBackground({
      qmp,
      pid: guest.pid,
      guard,
      // Of a VM this large QEMU would touch the pages for seconds.
      facts: { ...facts, ramSizeBytes: 2 ** 37 },
      way: 'background-snapshot',
      disks: facts.disks,
      folder: folder.path,
      signal: new AbortController().signal,
      setPhase: (phase) => {
        phases.push(phase);
        return Promise.resolve();
      },
    });
    expect(saved.disks.map(({ name }) => name)).toEqual(facts.disks.map(({ name }) => name));
    for (const { path, name } of saved.disks) {
      const disk = facts.disks.find((known) => known.name === name);
      expect(statSync(path).size).toBe(disk?.sizeBytes);
    }
    // Behind the time that the late stop waited for.
    expect(saved.atMs - started).toBeGreaterThan(lateStopMs(2 ** 37, 0) ?? Infinity);
    expect(existsSync(saved.imagePath)).toBe(true);
    await putRight(qmp);
    expect((await findOwnNodes(qmp)).names).toEqual([]);
  });
  expect(phases).toEqual(['stopping', 'running']);
  expect(await guest.checksums()).toEqual(checksums);
});
