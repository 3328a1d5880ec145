// A file that decides what we do, such as a configuration: it is read only where nobody else can have written it, as
// sudo(8) and ssh(1) do with theirs.
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from './disk-error.js';
import { expectOwn, expectSafeLink, expectSafeThrough, type Use } from './ownership.js';
import { pathOfOpen, walkPath } from './walk-path.js';

/** The text of the file. Throws `permission-denied` when others could have changed it, `not-found`. */
export function readOwnFile(path: string, use: Use): string {
  const place = walkPath(path, {
    through: (folder) => {
      expectSafeThrough(folder, path, use);
    },
    link: (link, folder) => {
      expectSafeLink(link, folder, path, use);
    },
  });
  let fd: number | undefined;
  try {
    if (place.missing.length > 0) {
      throw new ParsError('not-found', `there is no file ${path}`);
    }
    expectOwn(place, path, use);
    fd = openSync(pathOfOpen(place.fd), constants.O_RDONLY | constants.O_NONBLOCK);
    return readFileSync(fd, 'utf8');
  } catch (error) {
    throw error instanceof ParsError ? error : diskError(error, `cannot read ${path}`);
  } finally {
    if (fd !== undefined) {
      closeSync(fd);
    }
    closeSync(place.fd);
  }
}
