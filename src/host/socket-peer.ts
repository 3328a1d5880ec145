// Who listens on a unix socket. Whoever does is believed in what he says of a VM, such as which files its RAM and disks
// are, and these are then read with our rights: so he must be root or us.
//
// Node has no SO_PEERCRED. What stands in for it: nobody else can have put the socket there (ownership.ts), the socket
// itself belongs to root or us, and where we may look into all processes, as root may, so do those that have it open.
// (Linux Documentation/filesystems/proc.rst; unix(7))
import { closeSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { userWords } from './accounts.js';
import {
  expectSafeLink,
  expectSafeThrough,
  isTrustedUser,
  ownUser,
  type Use,
} from './ownership.js';
import { walkPath } from './walk-path.js';

/** Flags of a socket that listens, in /proc/net/unix. (Linux include/uapi/linux/net.h, SO_ACCEPTCON) */
const listening = '00010000';

/**
 * Before it is connected to. Throws `permission-denied` when it may be another user's. One that is not there, or is no
 * socket, is left to who connects.
 */
export function expectOwnSocket(path: string, use: Use): void {
  const { fd, missing, stats } = walkPath(path, {
    through: (folder) => {
      expectSafeThrough(folder, path, use);
    },
    link: (link, folder) => {
      expectSafeLink(link, folder, path, use);
    },
  });
  closeSync(fd);
  if (missing.length > 0) {
    return;
  }
  if (!isTrustedUser(stats.uid)) {
    throw foreign(path, `belongs to ${userWords(stats.uid)}`, use);
  }
  // Others' processes are closed to everybody but root.
  for (const pid of ownUser() === 0 ? listenersOf(path) : []) {
    const uid = userOf(pid);
    if (uid !== undefined && !isTrustedUser(uid)) {
      throw foreign(path, `is served by process ${pid} of ${userWords(uid)}`, use);
    }
  }
}

/**
 * The processes that have the listening socket open, of those that we may look into. More than one where a socket was put in
 * another's place, which still listens on it, or where a daemon does not say any more what its relative path meant.
 */
export function listenersOf(socketPath: string): readonly number[] {
  const sockets = listeningSockets(socketPath);
  return sockets.length === 0
    ? []
    : readdirSync('/proc')
        .map(Number)
        .filter((pid) => Number.isInteger(pid))
        .filter((pid) =>
          sockets.some(
            ({ inode, relativeName }) =>
              hasSocket(pid, inode) &&
              (relativeName === undefined || couldMean(pid, relativeName, socketPath)),
          ),
        );
}

function foreign(path: string, found: string, { what, remedy }: Use): ParsError {
  return new ParsError(
    'permission-denied',
    `${what} ${path} ${found}, who could make pars read any file that pars may read; expected ` +
      `${ownUser() === 0 ? 'root' : `root or ${userWords(ownUser())}`}, and nothing was done: ${remedy}`,
  );
}

/** The user of the file system, as whom it opens files. */
function userOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const user = /^Uid:\s+\d+\s+\d+\s+\d+\s+(\d+)$/m.exec(status)?.[1];
    return user === undefined ? undefined : Number(user);
  } catch {
    return undefined;
  }
}

interface ListeningSocket {
  readonly inode: string;
  /** As it was bound, where that was no whole path. */
  readonly relativeName: string | undefined;
}

function listeningSockets(socketPath: string): readonly ListeningSocket[] {
  const paths = [socketPath, realPath(socketPath)];
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .flatMap((line): readonly ListeningSocket[] => {
      // Num RefCount Protocol Flags Type St Inode Path
      const [, flags, inode, name] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (.+)$/.exec(line) ?? [];
      if (flags !== listening) {
        return [];
      }
      if (paths.includes(name)) {
        return [{ inode, relativeName: undefined }];
      }
      const isRelative = !/^[/@]/.test(name);
      return isRelative && paths.some((path) => basename(path) === basename(name))
        ? [{ inode, relativeName: name }]
        : [];
    });
}

/** Whether the process may have bound that name where the path is: below its folder, or as a daemon, which has left it. */
function couldMean(pid: number, name: string, socketPath: string): boolean {
  try {
    const folder = readlinkSync(`/proc/${pid}/cwd`);
    const whole = realPath(socketPath);
    return folder === '/' ? whole.endsWith(join('/', name)) : resolve(folder, name) === whole;
  } catch {
    return false;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function hasSocket(pid: number, inode: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(join(folder, fd)) === `socket:[${inode}]`;
      } catch {
        return false;
      }
    });
  } catch {
    // Another user's, or it has ended.
    return false;
  }
}
