// One process at a time: a lock is an abstract unix socket that somebody listens on. The kernel frees it when the last
// process that has it ends, however it ends, so there is no lock to clean up. A child can be given the lock too: then it
// stays taken while the child lives, even when the parent was killed.
//
// Abstract names are of the network namespace: processes in two containers do not see each other's locks, so a spool
// belongs to one of them. Whoever may run programs on the host can take a lock and keep work waiting, but get at nothing.
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../introspect/pars-error.js';

/** What is done by one process at a time; for each VM, or in the spool as a whole. */
export const lockKinds = ['capture', 'upload', 'entry', 'spool'] as const;
export type LockKind = (typeof lockKinds)[number];

export interface Lock {
  /** The descriptor that keeps it taken, for the `stdio` of a child that is to hold it too. */
  readonly fd: number;
  release(): Promise<void>;
}

const retryMs = 50;

/** Undefined when another process, or another part of this one, has it. `of`: the VM, or the entry. */
export async function tryLock(
  spoolRoot: string,
  kind: LockKind,
  of = '',
): Promise<Lock | undefined> {
  const hash = createHash('sha256')
    .update([realpathSync(spoolRoot), kind, of].join('\0'))
    .digest('hex');
  const server = createServer((socket) => socket.destroy());
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        resolve(false);
      } else {
        reject(
          new ParsError('unavailable', `cannot take the lock ${kind} ${of}: ${error.message}`, {
            cause: error,
          }),
        );
      }
    });
    server.listen({ path: `\0pars-${hash.slice(0, 32)}` }, () => {
      resolve(true);
    });
  });
  if (!taken) {
    return undefined;
  }
  // A lock is no reason for a process to go on.
  server.unref();
  return {
    fd: descriptorOf(server),
    release: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
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

/** Node gives the number of a listening socket to nobody but its own child_process; its handle has it. */
function descriptorOf(server: Server): number {
  const fd = (server as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
  if (fd === undefined || fd < 0) {
    throw new Error('expected a listening socket to have a descriptor');
  }
  return fd;
}
