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

export interface LockWait {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Throws `unavailable` when it is not free within the time. */
export async function waitForLock(
  spoolRoot: string,
  kind: LockKind,
  of: string,
  wait: LockWait,
): Promise<Lock> {
  const lock = await lockWithin(spoolRoot, kind, of, wait);
  if (lock === undefined) {
    throw new ParsError(
      'unavailable',
      `another process has had the lock ${kind} ${of} of ${spoolRoot} for ${wait.timeoutMs / 1000} s; try again later`,
    );
  }
  return lock;
}

/** Longer than it takes to look after what a killed capture has left, and shorter than a capture of most VMs. */
const capturePatienceMs = 10_000;

/**
 * The lock of a VM's captures; undefined when another process goes on having it, which then is one that captures the VM. One that
 * cleans up after a killed capture has it for moments, and no snapshot is left out for those.
 */
export async function lockCapture(
  spoolRoot: string,
  vmPart: string,
  signal: AbortSignal | undefined,
): Promise<Lock | undefined> {
  return await lockWithin(spoolRoot, 'capture', vmPart, { timeoutMs: capturePatienceMs, signal });
}

async function lockWithin(
  spoolRoot: string,
  kind: LockKind,
  of: string,
  { timeoutMs, signal }: LockWait,
): Promise<Lock | undefined> {
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
      return undefined;
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
