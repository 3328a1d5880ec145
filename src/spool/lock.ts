// One process at a time in a spool, by locks that lie in it (src/host/file-lock.ts).
//
//   locks/spool             changes of the spool's own files
//   locks/capture.VM        locks/upload.VM        locks/entry.ENTRY        (VM as layout.ts `vmPathPart` has it)
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../introspect/pars-error.js';
import { type Lock, tryFileLock } from '../host/file-lock.js';
import { makeOwnFolder } from '../host/own-folder.js';

export type { Lock } from '../host/file-lock.js';

/** What is done by one process at a time; for each VM, or in the spool as a whole. */
export const lockKinds = ['capture', 'upload', 'entry', 'spool'] as const;
export type LockKind = (typeof lockKinds)[number];

export const lockFolder = 'locks';
const entryPrefix = 'entry.';

/** Who waits asks again after so long, and longer each time: asking starts a program. */
const firstRetryMs = 20;
const lastRetryMs = 500;

/** Undefined when another process, or another part of this one, has it. `of`: the VM as `vmPathPart` has it, or the entry. */
export async function tryLock(
  spoolRoot: string,
  kind: LockKind,
  of = '',
): Promise<Lock | undefined> {
  const folder = makeOwnFolder(join(spoolRoot, lockFolder), {
    what: 'the folder of locks',
    remedy: 'name another spool or scratch folder',
  });
  return await Promise.resolve(tryFileLock(join(folder, of === '' ? kind : `${kind}.${of}`)));
}

/** The entry that a file among the locks is of. */
export const entryOfLock = (name: string): string | undefined =>
  name.startsWith(entryPrefix) ? name.slice(entryPrefix.length) : undefined;

/** Throws `unavailable` when it is not free within the time. */
export async function waitForLock(
  spoolRoot: string,
  kind: LockKind,
  of: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Lock> {
  const endMs = performance.now() + timeoutMs;
  let retryMs = firstRetryMs;
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
    retryMs = Math.min(2 * retryMs, lastRetryMs);
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
