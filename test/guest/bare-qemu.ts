// A QEMU with nothing in it to boot: for tests of what is QEMU's own, and not a guest's.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QemuProcess } from './qemu-process.js';
import { connectWhenThere } from './socket.js';

const startTimeoutMs = 30_000;

/** Once it listens at `monitorPath`, which `words` have it do. `cwd`: where their relative paths begin. */
export async function startBareQemu(
  monitorPath: string,
  words: readonly string[],
  cwd?: string,
): Promise<QemuProcess> {
  const qemu = new QemuProcess(
    mkdtempSync(join(tmpdir(), 'pars-bare-')),
    ['-nodefaults', '-display', 'none', '-accel', 'tcg', ...words],
    cwd,
  );
  try {
    (await qemu.whileRunning(connectWhenThere(monitorPath, startTimeoutMs))).destroy();
    return qemu;
  } catch (error) {
    await qemu.close();
    throw error;
  }
}
