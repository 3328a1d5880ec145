// What a capture that was killed has left: in the VM, by its journal, and in its folder.
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../../../introspect/pars-error.js';
import { QmpClient } from '../../qmp/qmp-client.js';
import { findQemu } from '../find-qemu.js';
import { currentBootId, type Journal, readJournal } from '../journal.js';
import { isQemu, qemuPidOf } from '../vcpu-threads.js';
import { tryVmLock, withLockedVm } from '../vm-lock.js';
import { liftProtection } from './protected-memory.js';
import { putRight } from './put-right.js';

const retryMs = 500;
/** A guard may still be reading the VM's memory to its end. */
const lockTimeoutMs = 60_000;

export interface CleanUpOptions {
  /** For how long a QEMU that cannot be reached, but may be there, is tried again. */
  readonly timeoutMs?: number;
  /** The capture itself and its guard have the VM's lock. */
  readonly hasLock?: boolean;
}

/**
 * Puts the VM right and removes the folder. Throws `unavailable` when the VM is, or may be, there and cannot be reached:
 * then the folder stays, for another time.
 */
export async function cleanUpCapture(
  folder: string,
  { timeoutMs = 0, hasLock = false }: CleanUpOptions = {},
): Promise<void> {
  const journal = await readJournal(folder);
  if (journal !== undefined) {
    await putVmRight(folder, journal, Date.now() + timeoutMs, hasLock);
  }
  await rm(folder, { recursive: true, force: true });
}

async function putVmRight(
  folder: string,
  journal: Journal,
  deadlineMs: number,
  hasLock: boolean,
): Promise<void> {
  for (;;) {
    if (isGone(journal)) {
      return;
    }
    try {
      if (!hasLock) {
        await freeForgotten(journal);
      }
      await (hasLock
        ? putRightOver(journal.qmpPath, folder)
        : putRightAlone(journal.qmpPath, folder));
      return;
    } catch (error) {
      // It may have ended while it was asked.
      if (isGone(journal)) {
        return;
      }
      if (!(error instanceof ParsError) || Date.now() >= deadlineMs) {
        throw error;
      }
    }
    await sleep(retryMs);
  }
}

/**
 * Lets a VM go on whose background snapshot nobody takes any more: its guard has ended, as the lock is free. Before QEMU is
 * asked anything, since it may not answer until then.
 */
async function freeForgotten({ phase, inBackground, pid, vcpuThreads }: Journal): Promise<void> {
  const isOurs = pid !== undefined && qemuPidOf(vcpuThreads) === pid;
  if (phase === 'prepared' || !inBackground || !isOurs) {
    return;
  }
  const lock = tryVmLock(vcpuThreads);
  if (lock === undefined) {
    return;
  }
  try {
    liftProtection(pid);
  } finally {
    await lock.release();
  }
}

async function putRightAlone(qmpPath: string, folder: string): Promise<void> {
  await withLockedVm(qmpPath, ({ qmp }) => putRightBy(qmp, folder), lockTimeoutMs);
}

async function putRightOver(qmpPath: string, folder: string): Promise<void> {
  const qmp = await QmpClient.connect(qmpPath);
  try {
    await putRightBy(qmp, folder);
  } finally {
    qmp.close();
  }
}

async function putRightBy(qmp: QmpClient, folder: string): Promise<void> {
  // Whoever had the lock before may have put all right, and removed it.
  const journal = await readJournal(folder);
  if (journal !== undefined) {
    await putRight(qmp, { folder, journal });
  }
}

/** The VM that was captured has ended: its QEMU has, another one listens in its place, or the machine was started anew. */
function isGone({ bootId, pid, qmpPath }: Journal): boolean {
  if (bootId !== currentBootId()) {
    return true;
  }
  if (pid === undefined) {
    return false;
  }
  const listening = findQemu(qmpPath, pid);
  return listening === undefined ? !isQemu(pid) : listening.pid !== pid;
}
