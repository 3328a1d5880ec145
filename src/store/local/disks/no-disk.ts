// The error for a store of which no disk is there. Listed mount points say that somebody has such disks, so they are away until
// the opposite is known: an empty mount point looks like a new one. A store's own folders are missing where there is no store.
import path from 'node:path';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { LocalUrl } from '../url.js';

export function noDiskError({ diskFolders, ownsFolders }: LocalUrl): ParsError {
  return ownsFolders
    ? new ParsError(
        'not-found',
        `no store is in ${path.dirname(diskFolders[0])}; check the path, or upload a snapshot to make one there`,
      )
    : new ParsError(
        'unavailable',
        `none of the store's disks can be reached: ${diskFolders.join(', ')}; mount them and try again, ` +
          'or, if they are new and empty, take them with `pars init`',
      );
}
