// One process at a time in a spool, by locks of the machine (src/flow/machine-lock.ts): so a spool belongs to one network
// namespace.
import { realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../introspect/pars-error.js';
import { type Lock, tryMachineLock } from '../flow/machine-lock.js';

export type { Lock } from '../flow/machine-lock.js';

/** What is done by one process at a time; for each VM, or in the spool as a whole. */
export const lockKinds = ['capture', 'upload', 'entry', 'spool'] as const;
export type LockKind = (typeof lockKinds)[number];

const retryMs = 50;

/** Undefined when another process, or another part of this one, has it. `of`: the VM, or the entry. */
export async function tryLock(
  spoolRoot: string,
  kind: LockKind,
  of = '',
): Promise<Lock | undefined> {
  return await tryMachineLock([realpathSync(spoolRoot), kind, of]);
}

/** Throws `unavailable` when it is not free within the time. */
export async function waitForLock(
  spoolRoot: string,
  kind: LockKind,
  of: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Lock> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', `stopped while waiting for the lock ${kind} ${of}`);
    }
    const lock = await tryLock(spoolRoot, kind, of);
    if (lock !== undefined) {
      return lock;
    }
    if (performance.now() > endMs) {
      throw new ParsError(
        'unavailable',
        `another process has had the lock ${kind} ${of} of ${spoolRoot} for ${timeoutMs / 1000} s; try again later`,
      );
    }
    await sleep(retryMs);
  }
}

const spoolLockTimeoutMs = 60_000;

/** For changes of the spool's own files, which take moments. */
export async function withSpoolLock<T>(spoolRoot: string, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(spoolRoot, 'spool', '', { timeoutMs: spoolLockTimeoutMs });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
