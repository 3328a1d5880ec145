// A QEMU that hangs in the middle of a capture: `pars` ends within the bounds of its waits and says so, and once QEMU goes on,
// the guard that it left puts the VM right.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeOfError } from '../../../src/cli/exit-code.js';
import { findOwnNodes } from '../../../src/vm/live/block-graph.js';
import { withLockedVm } from '../../../src/vm/live/vm-lock.js';
import { LocalStoreFolder } from '../../e2e/local-store-folder.js';
import { startPars } from '../../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';
import { bootGuest, type Guest } from '../../guest/guest.js';

const setUpTimeoutMs = 300_000;
const testTimeoutMs = 600_000;
/** The answer to a command 60 s, then a greeting 10 s twice, and all else in a moment (docs/waits.md). */
const boundMs = 120_000;
const stepMs = 60_000;

let folder: TemporaryFolder;
let guest: Guest;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  guest = await bootGuest({ hasPrivateRam: true, ramSizeMib: 256, workload: 'programs' });
}, setUpTimeoutMs);

afterAll(async () => {
  await (guest as Guest | undefined)?.close();
  await folder.remove();
});

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + stepMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`not within ${stepMs} ms`);
    await sleep(50);
  }
}

test(
  'pars ends, and its guard puts the VM right when QEMU goes on',
  async () => {
    const scratch = join(folder.path, 'scratch');
    const inScratch = (name: RegExp): boolean =>
      existsSync(scratch) &&
      readdirSync(scratch, { recursive: true }).some((path) => name.test(String(path)));
    const checksums = await guest.checksums();
    const { ended } = startPars([
      ...['upload', '--qmp', guest.qmpSocketPath, '--name', 'web', '--scratch', scratch],
      // So slow that the stream is still on its way.
      ...['--bandwidth', '2M', '--store', new LocalStoreFolder(join(folder.path, 'store')).url],
    ]);
    await until(() => inScratch(/ram\.stream$/));
    process.kill(guest.pid, 'SIGSTOP');
    const stoppedMs = performance.now();
    try {
      const { exitCode, stderr } = await ended;
      expect(performance.now() - stoppedMs).toBeLessThan(boundMs);
      expect(exitCode).toBe(exitCodeOfError.unavailable);
      expect(stderr).toContain('did not answer');
      expect(stderr).toContain('its guard tries on for ten minutes');
    } finally {
      process.kill(guest.pid, 'SIGCONT');
    }
    await until(() => !inScratch(/journal|ram\.stream/));
    await until(() =>
      withLockedVm(guest.qmpSocketPath, async ({ qmp }) => {
        const { names } = await findOwnNodes(qmp);
        return names.length === 0;
      }),
    );
    expect(await guest.checksums()).toEqual(checksums);
  },
  testTimeoutMs,
);
