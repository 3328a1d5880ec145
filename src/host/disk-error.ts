// What a full or forbidden disk of this host means: the one place, beside the local store's own, that knows Node's codes.
import { type ErrorCode, ParsError } from '../../introspect/pars-error.js';

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EFBIG: 'no-space',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
  EROFS: 'permission-denied',
  EEXIST: 'already-exists',
  ENOENT: 'not-found',
  ENOTDIR: 'usage',
};

const hints: Readonly<Partial<Record<string, string>>> = {
  EFBIG:
    '; the file system, or a limit of this process (ulimit -f), takes no file so large: choose a folder elsewhere or raise it',
};

/** `what` says what was being done, such as `cannot create /x/ram`. */
export function diskError(error: unknown, what: string): ParsError {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const reason = error instanceof Error ? error.message : String(error);
  const hint = hints[code] ?? '';
  return new ParsError(codes[code] ?? 'unavailable', `${what}: ${reason}${hint}`, { cause: error });
}
