// One capture of a VM at a time, whichever of its sockets it came by and whoever asked for it: two would put their filters
// before the same disks, and each take the other's for leftovers. The guard has the lock too, so it is free only when
// nobody is at work on the VM any more.
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { type Lock, tryMachineLock } from '../../flow/machine-lock.js';
import { QmpClient } from '../qmp/qmp-client.js';
import { readVcpuThreads } from './vcpu-threads.js';

const retryMs = 50;
/** The guard of the capture before may be about to end. */
const defaultTimeoutMs = 2_000;

/** Connected to, and nobody else's meanwhile. */
export interface LockedVm {
  readonly qmp: QmpClient;
  readonly lock: Lock;
  readonly vcpuThreads: readonly number[];
}

/** Throws `unavailable` when QEMU cannot be reached, or another process has the VM for longer than the time. */
export async function withLockedVm<T>(
  qmpPath: string,
  work: (vm: LockedVm) => Promise<T>,
  timeoutMs = defaultTimeoutMs,
): Promise<T> {
  const qmp = await QmpClient.connect(qmpPath);
  try {
    const vcpuThreads = await readVcpuThreads(qmp);
    const lock = await lockVm(vcpuThreads, timeoutMs);
    try {
      return await work({ qmp, lock, vcpuThreads });
    } finally {
      await lock.release();
    }
  } finally {
    qmp.close();
  }
}

/** `threads`: of its vCPUs; no two VMs of a machine have one in common. Throws `unavailable`. */
async function lockVm(threads: readonly number[], timeoutMs: number): Promise<Lock> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const lock = await tryMachineLock(['capture of the VM', String(threads[0])]);
    if (lock !== undefined) {
      return lock;
    }
    if (performance.now() > deadlineMs) {
      throw new ParsError(
        'unavailable',
        'another process is capturing the VM, or putting it right after a capture that failed: one at a time; try again later',
      );
    }
    await sleep(retryMs);
  }
}
