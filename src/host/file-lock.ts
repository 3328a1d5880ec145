// One process at a time: a lock on an open file (flock(2)) that nobody else can open. The kernel frees it when the last
// process that has the file open ends, however it ends, so there is no lock to clean up. A child can be given the
// descriptor: then it stays taken while the child lives, even when the parent was killed.
//
// The file lies in the folder that the lock guards, so whoever sees that folder sees the lock, in a container too. On NFS
// it holds between hosts where the mount has no `local_lock`.
import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { ParsError } from '../../introspect/pars-error.js';
import { userWords } from './accounts.js';
import { diskError } from './disk-error.js';
import { isTrustedUser } from './ownership.js';

export interface Lock {
  /** The descriptor that keeps it taken, for the `stdio` of a child that is to hold it too. */
  readonly fd: number;
  release(): Promise<void>;
}

/** The mode of a lock's file: who may read it could take the lock. */
const lockFileMode = 0o600;
const othersMask = 0o077;
/** flock(1) of util-linux and of busybox: the lock is another's. */
const takenStatus = 1;
/** A bound for flock(1): it does not wait for the lock, but may wait for a file server that is away. */
const programTimeoutMs = 30_000;
/** How often the file may have been replaced between its opening and its locking. */
const retryLimit = 10;

/**
 * Undefined when another process, or another part of this one, has it. The file is made where it is missing, in a folder
 * that is nobody else's (own-folder.ts). Throws `permission-denied` when others could take it, `unavailable` when locks
 * do not work there.
 */
export function tryFileLock(path: string): Lock | undefined {
  for (let attempt = 0; attempt < retryLimit; attempt++) {
    const fd = openLockFile(path);
    const lock = lockOpen(fd, path);
    if (lock === undefined || isStillAt(fd, path)) {
      return lock;
    }
    // Removed, or replaced, since it was opened: a lock on it excludes nobody.
    closeSync(fd);
  }
  throw new ParsError(
    'unavailable',
    `the lock ${path} is replaced again and again; try again later`,
  );
}

/** Takes over the descriptor: closed when the lock is not had. `path` is for messages. */
export function lockOpen(fd: number, path: string): Lock | undefined {
  const { error, status, stderr } = spawnSync('flock', ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    encoding: 'utf8',
    timeout: programTimeoutMs,
  });
  if (error === undefined && status === 0) {
    return {
      fd,
      // Not unlocked, but let go of: a child may still have it.
      release: () => {
        closeSync(fd);
        return Promise.resolve();
      },
    };
  }
  closeSync(fd);
  if (error === undefined && status === takenStatus) {
    return undefined;
  }
  const reason = error?.message ?? (stderr.trim() || `exit status ${String(status)}`);
  throw new ParsError(
    'unavailable',
    `cannot take the lock ${path} with flock (package util-linux): ${reason}`,
    { cause: error },
  );
}

function openLockFile(path: string): number {
  let fd: number;
  try {
    // For writing, as NFS wants it.
    const flags =
      constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    fd = openSync(path, flags, lockFileMode);
  } catch (error) {
    throw diskError(error, `cannot open the lock ${path}`);
  }
  const stats = fstatSync(fd);
  if (stats.isFile() && isTrustedUser(stats.uid) && (stats.mode & othersMask) === 0) {
    return fd;
  }
  closeSync(fd);
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  throw new ParsError(
    'permission-denied',
    `the lock ${path} could be taken by others: it belongs to ${userWords(stats.uid)} and has mode ${mode}; expected a ` +
      'file of root or of this user that nobody else may open: remove it when no pars is at work there',
  );
}

function isStillAt(fd: number, path: string): boolean {
  const open = fstatSync(fd);
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.ino === open.ino && found.dev === open.dev;
}
