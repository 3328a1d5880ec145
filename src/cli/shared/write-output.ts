// A result into a file that the user names. What stands under a name is whole: the bytes go to a file beside it first,
// which then takes the name. A pipe or a device is written to as it is.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';
import { expectSafeLink } from '../../host/ownership.js';
import { walkPath } from '../../host/walk-path.js';

/** `what` is for messages, such as `the labels`. Whatever file stands under the name is replaced. */
export function writeOutput(path: string, bytes: readonly Uint8Array[], what: string): void {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) {
      throw new ParsError('usage', `cannot write ${what} to ${path}: it is a folder`);
    }
    if (stat !== undefined && !stat.isFile()) {
      writeAll(openSync(path, 'w'), bytes);
      return;
    }
    // The name may be a link; it goes on to lead to the file.
    const target = stat === undefined ? path : ownTarget(path, what);
    const part = `${target}.${process.pid}.part`;
    try {
      writeAll(openSync(part, 'wx', stat?.mode), bytes, { lasting: true });
      renameSync(part, target);
    } catch (error) {
      rmSync(part, { force: true });
      throw error;
    }
  } catch (error) {
    throw error instanceof ParsError ? error : diskError(error, `cannot write ${what} to ${path}`);
  }
}

/** Where the name leads to. Only links that root or this user has made are followed: another's may lead to any file. */
function ownTarget(path: string, what: string): string {
  const place = walkPath(path, {
    link: (link, folder) => {
      expectSafeLink(link, folder, path, {
        what: `the file of ${what}`,
        remedy: 'name another file',
      });
    },
  });
  closeSync(place.fd);
  return place.path;
}

/** Closes the file in any case. */
function writeAll(fd: number, bytes: readonly Uint8Array[], { lasting = false } = {}): void {
  try {
    for (const piece of bytes) {
      for (let done = 0; done < piece.length;) {
        done += writeSync(fd, piece, done);
      }
    }
    if (lasting) {
      fsyncSync(fd);
    }
  } finally {
    closeSync(fd);
  }
}
