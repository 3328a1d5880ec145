// One capture of a VM at a time, whichever of its sockets it came by and whoever asked for it: two would put their filters
// before the same disks, and each take the other's for leftovers. The guard has the lock too, so it is free only when
// nobody is at work on the VM any more.
//
// It is a lock on a file that QEMU's process itself has in /proc, and that only its user and root may open: so these two
// exclude each other whatever sockets they came by, and nobody else can have it. Where QEMU's process is not to be seen,
// in another container for example, the lock is a file of this user's, and excludes his own captures alone.
// (proc_pid_environ(5), flock(2))
import { openSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { type Lock, lockOpen, tryFileLock } from '../../host/file-lock.js';
import { makeOwnFolder, makeOwnFolderIn } from '../../host/own-folder.js';
import { QmpClient } from '../qmp/qmp-client.js';
import { processOf, readVcpuThreads } from './vcpu-threads.js';

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
    const lock = tryVmLock(threads);
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

/** Undefined while another process has it. */
export function tryVmLock([thread]: readonly number[]): Lock | undefined {
  const path = `/proc/${processOf(thread) ?? ''}/environ`;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    // Another user's, in another container, or one that nobody may look into.
    return tryFileLock(join(ownRunFolder(), `vm-${thread}`));
  }
  return lockOpen(fd, path);
}

/** Where this user's programs keep what lasts until the next start of the machine. */
function ownRunFolder(): string {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const use = {
    what: 'the folder of locks',
    remedy: 'set XDG_RUNTIME_DIR to a folder of your own',
  };
  if (process.geteuid?.() === 0) {
    return makeOwnFolder('/run/pars', use);
  }
  return runtime === undefined || !isAbsolute(runtime)
    ? makeOwnFolderIn('/var/tmp', 'pars', use).path
    : makeOwnFolder(join(runtime, 'pars'), use);
}
