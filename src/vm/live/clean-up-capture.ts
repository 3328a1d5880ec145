// What a capture that was killed has left: in the VM, by its journal, and in its folder.
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { QmpClient } from '../qmp/qmp-client.js';
import { findQemu } from './find-qemu.js';
import { currentBootId, type Journal, readJournal } from './journal.js';
import { putRight } from './put-right.js';

const retryMs = 500;

export interface CleanUpOptions {
  /** For how long a QEMU that cannot be reached, but may be there, is tried again. */
  readonly timeoutMs?: number;
}

/**
 * Puts the VM right and removes the folder. Throws `unavailable` when the VM is, or may be, there and cannot be reached:
 * then the folder stays, for another time.
 */
export async function cleanUpCapture(
  folder: string,
  { timeoutMs = 0 }: CleanUpOptions = {},
): Promise<void> {
  const journal = await readJournal(folder);
  if (journal !== undefined) {
    await putVmRight(folder, journal, Date.now() + timeoutMs);
  }
  await rm(folder, { recursive: true, force: true });
}

async function putVmRight(folder: string, journal: Journal, deadlineMs: number): Promise<void> {
  for (;;) {
    if (await isGone(journal)) {
      return;
    }
    try {
      const qmp = await QmpClient.connect(journal.qmpPath);
      try {
        await putRight(qmp, { folder, journal });
      } finally {
        qmp.close();
      }
      return;
    } catch (error) {
      // It may have ended while it was asked.
      if (await isGone(journal)) {
        return;
      }
      if (!(error instanceof ParsError) || Date.now() >= deadlineMs) {
        throw error;
      }
    }
    await sleep(retryMs);
  }
}

/** The VM that was captured has ended: its QEMU has, another one listens in its place, or the machine was started anew. */
async function isGone({ bootId, pid, qmpPath }: Journal): Promise<boolean> {
  if (bootId !== currentBootId()) {
    return true;
  }
  if (pid === undefined) {
    return false;
  }
  const listening = findQemu(qmpPath);
  if (listening !== undefined) {
    return listening.pid !== pid;
  }
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
  return !/qemu|kvm/i.test(commandLine.split('\0')[0]);
}
