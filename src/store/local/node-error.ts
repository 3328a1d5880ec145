// The only file of the local store that knows Node's file-system error codes.

import type { ErrorCode } from '../../../introspect/pars-error.js';
import { ParsError } from '../../../introspect/pars-error.js';
import { UnreachableCopies } from '../unreachable.js';

const codes = new Map<string, ErrorCode>([
  ['EACCES', 'permission-denied'],
  ['EPERM', 'permission-denied'],
  ['EROFS', 'permission-denied'],
  ['ENOSPC', 'no-space'],
  ['EDQUOT', 'no-space'],
  ['EFBIG', 'no-space'],
  ['ENAMETOOLONG', 'usage'],
  // The disk says itself that it cannot give these bytes back.
  ['EIO', 'data-lost'],
]);

/** The disk went away while its folder was looked at: what is on it may be whole. */
const disappeared = ['ENXIO', 'ENODEV', 'ESTALE'];

/** Undefined when `error` does not come from the file system. */
function nodeCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) {
    return undefined;
  }
  return String(error.code);
}

/** There is nothing at the path, or a file where a folder was expected on the way to it. */
export function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(nodeCodeOf(error) ?? '');
}

/** The path is taken: by anything for mkdir and exclusive open, by a folder that is not empty for rename. */
export function isTaken(error: unknown): boolean {
  return ['EEXIST', 'ENOTEMPTY'].includes(nodeCodeOf(error) ?? '');
}

/** ParsErrors and errors that are not the file system's pass unchanged: the latter are bugs and must stay visible. */
export function toParsError(error: unknown, doing: string): unknown {
  const nodeCode = nodeCodeOf(error);
  if (nodeCode === undefined) {
    return error;
  }
  // What is in no table passes: a disk taken away at this moment (ENOENT), a busy device, too many open files.
  const code = codes.get(nodeCode) ?? 'unavailable';
  if (disappeared.includes(nodeCode)) {
    return new UnreachableCopies(
      `${doing}: ${(error as Error).message}; the disk or the share is gone from this machine: mount it again`,
      { cause: error },
    );
  }
  return new ParsError(code, `${doing}: ${(error as Error).message}`, { cause: error });
}

/** `act`, with its file-system errors translated. `doing` opens the message: what was done to which name. */
export async function translated<T>(doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw toParsError(error, doing);
  }
}
