// A QEMU that hangs in the middle of a capture: `pars` ends within the bounds of its waits and says so, and once QEMU goes on,
// the guard that it left puts the VM right. And a VM that hangs for good, its QEMU too at times, as `pars` and its guard were
// killed: the next upload frees it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeOfError } from '../../../src/cli/shared/exit-code.js';
import { findOwnNodes } from '../../../src/vm/capture/disks/block-graph.js';
import { withLockedVm } from '../../../src/vm/capture/vm-lock.js';
import { LocalStoreFolder } from '../../e2e/local-store-folder.js';
import { startPars } from '../../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';
import { bootGuest, type Guest } from '../../guest/guest.js';
import { guardsIn } from '../../live-faults/processes.js';
import { testInWhole } from '../../slice.js';

const setUpTimeoutMs = 300_000;
const testTimeoutMs = 600_000;
/** The answer to a command 60 s, then a greeting 10 s twice, and all else in a moment (docs/waits.md). */
const boundMs = 120_000;
const stepMs = 60_000;
/** Many times what an answer takes. */
const hangMs = 5_000;

let folder: TemporaryFolder;
let guest: Guest;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  guest = await bootGuest({
    hasPrivateRam: true,
    ramSizeMib: 256,
    anonymousSizeMib: 8,
    tmpfsSizeMib: 8,
    disk: { contentSizeMib: 4 },
  });
}, setUpTimeoutMs);

afterAll(async () => {
  await (guest as Guest | undefined)?.close();
  await folder.remove();
});

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + stepMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) {
      throw new Error(`not within ${stepMs} ms`);
    }
    await sleep(50);
  }
}

const inFolder = (path: string, name: RegExp): boolean =>
  existsSync(path) &&
  readdirSync(path, { recursive: true }).some((found) => name.test(String(found)));

/** So slow that the stream stays on its way. */
const uploadWords = (scratch: string): readonly string[] => [
  ...['upload', '--qmp', guest.qmpSocketPath, '--name', 'web', '--scratch', scratch],
  ...['--bandwidth', '2M', '--store', new LocalStoreFolder(join(folder.path, 'store')).url],
];

// A minute of waiting; test/live-faults stops QEMU too.
testInWhole(
  'pars ends, and its guard puts the VM right when QEMU goes on',
  async () => {
    const scratch = join(folder.path, 'scratch');
    const checksums = await guest.checksums();
    const { ended } = startPars(uploadWords(scratch));
    await until(() => inFolder(scratch, /ram\.stream$/));
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
    await until(() => !inFolder(scratch, /journal|ram\.stream/));
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

test(
  'the next upload frees a VM whose background snapshot broke off under it',
  async () => {
    const scratch = join(folder.path, 'scratch');
    const checksums = await guest.checksums();
    const { child, ended } = startPars(uploadWords(scratch));
    await until(() => inFolder(scratch, /ram\.stream$/));
    // The journal says so once the VM runs again, in memory that is protected.
    await until(
      () => inFolder(scratch, /journal\.json$/) && journalIn(scratch).includes('"phase":"running"'),
    );
    const guards = guardsIn(folder.path);
    expect(guards).toHaveLength(1);
    child.kill('SIGKILL');
    process.kill(guards[0], 'SIGKILL');
    await ended;
    // Where a CPU waits for the memory amid the work of a device, QEMU hangs with it (test/live-faults meets both).
    const written = guest.command('dd if=/dev/zero of=/data/new bs=1M count=1 conv=fsync');
    expect(await Promise.race([written, sleep(hangMs, 'hangs')])).toBe('hangs');
    const next = startPars(uploadWords(scratch).filter((word) => !/^(--bandwidth|2M)$/.test(word)));
    const { exitCode, stderr } = await next.ended;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    await written;
    expect(await guest.checksums()).toEqual(checksums);
    expect(inFolder(scratch, /journal|ram\.stream/)).toBe(false);
  },
  testTimeoutMs,
);

function journalIn(scratch: string): string {
  const name = readdirSync(scratch, { recursive: true }).find((path) =>
    String(path).endsWith('journal.json'),
  );
  return name === undefined ? '' : readFileSync(join(scratch, String(name)), 'utf8');
}
