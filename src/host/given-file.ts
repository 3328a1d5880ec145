// Files in folders that may be somebody else's, such as one that is watched for snapshots: whoever may write there decides
// what the file holds, but must not lead us to another's file by a link. The file is opened once, and what is open is what
// was looked at.
import { closeSync, constants, openSync } from 'node:fs';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from './disk-error.js';
import { expectSafeLink, isTrustedUser, isWritableByOthers, type Use } from './ownership.js';
import { pathOfOpen, type Place, type Step, walkPath } from './walk-path.js';

/** An open folder, for its names (walk-path.ts `nameIn`). The caller closes it. Throws `permission-denied`, `not-found`. */
export function openGivenFolder(path: string, use: Use): number {
  const folder = walkGiven(path, use);
  if (folder.stats.isDirectory()) {
    return folder.fd;
  }
  closeSync(folder.fd);
  throw new ParsError('usage', `${use.what} ${path}: expected a folder, found something else`);
}

/**
 * An open file, for reading. The caller closes it. Throws `permission-denied` also for a second name of a file that
 * whoever made the name need not have been allowed to read. (Linux Documentation/admin-guide/sysctl/fs.rst,
 * protected_hardlinks)
 */
export function openGivenFile(path: string, use: Use): number {
  let parent: Step | undefined;
  const { fd, stats } = walkGiven(path, use, (folder) => {
    parent = folder;
  });
  try {
    if (!stats.isFile()) {
      throw new ParsError('image-invalid', `${path}: expected a regular file`);
    }
    if (stats.nlink > 1 && !isOnlyForOwner(parent, stats.uid)) {
      throw new ParsError(
        'permission-denied',
        `${path} is one of ${stats.nlink} names of a file that may be another user's, so it is not taken: put a copy there`,
      );
    }
    return openSync(pathOfOpen(fd), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw error instanceof ParsError ? error : diskError(error, `cannot open ${path}`);
  } finally {
    closeSync(fd);
  }
}

function walkGiven(path: string, use: Use, through?: (folder: Step) => void): Place {
  const place = walkPath(path, {
    ...(through === undefined ? {} : { through }),
    link: (link, folder) => {
      expectSafeLink(link, folder, path, use);
    },
  });
  if (place.missing.length > 0) {
    closeSync(place.fd);
    throw new ParsError('not-found', `${use.what} ${path} does not exist`, {
      cause: Object.assign(new Error('no such file'), { code: 'ENOENT' }),
    });
  }
  return place;
}

/** Whether only root, this user, or the owner of the file can have made the name in the folder. */
function isOnlyForOwner(folder: Step | undefined, fileUser: number): boolean {
  return (
    folder !== undefined &&
    !isWritableByOthers(folder.stats) &&
    (isTrustedUser(folder.stats.uid) || folder.stats.uid === fileUser)
  );
}
