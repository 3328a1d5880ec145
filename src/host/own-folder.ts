// Folders that are written to, and read from, as if nobody else could change them: they are checked first (ownership.ts).
// What passes cannot be swapped afterwards by anybody but root and this user, so its path stays good.
import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { userWords } from './accounts.js';
import { diskError } from './disk-error.js';
import {
  expectOwn,
  expectSafeLink,
  expectSafeThrough,
  isWritableByOthers,
  ownUser,
  type Use,
} from './ownership.js';
import { nameIn, openName, type Place, type Step, walkPath } from './walk-path.js';

export interface FolderUse extends Use {
  /**
   * Whether a folder for everybody with the sticky bit will do: what is put there is made anew each time, under names that
   * must be free, and never looked for.
   */
  readonly mayBeForAll?: boolean;
}

const privateMode = 0o700;

/** Throws `permission-denied`; of one that does not exist, what exists of its path is looked at. */
export function expectOwnFolder(path: string, use: FolderUse): void {
  closeSync(walkOwn(path, use).fd);
}

/**
 * Makes what is missing of the path, for nobody else (or with the mode that is said, less the umask), and gives the path
 * without links. Throws `permission-denied`, and what the file system makes go wrong.
 */
export function makeOwnFolder(path: string, use: FolderUse, mode = privateMode): string {
  const start = walkOwn(path, use);
  let { fd, path: made } = start;
  try {
    for (const name of start.missing) {
      made = join(made, name);
      const child = makeOne(fd, name);
      closeSync(fd);
      fd = child;
      // Somebody may have been faster.
      expectFolder({ path: made, stats: fstatSync(fd) }, path, use);
    }
    return made;
  } catch (error) {
    throw error instanceof ParsError ? error : diskError(error, `cannot make ${use.what} ${path}`);
  } finally {
    closeSync(fd);
  }

  function makeOne(folderFd: number, name: string): number {
    try {
      mkdirSync(nameIn(folderFd, name), { mode });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
    }
    return openName(folderFd, name);
  }
}

/**
 * A folder of this user in one that is for everybody, such as /var/tmp: the one with the plain name, unless somebody else
 * has taken that; then one whose name nobody could foresee, and the same from then on, also when the plain name is free
 * again: locks in it exclude whoever came before.
 */
export function makeOwnFolderIn(
  shared: string,
  name: string,
  use: Use,
): { readonly path: string; readonly takenBy?: string } {
  const folder = walkPath(shared, rulesOf(shared, use));
  closeSync(folder.fd);
  expectSafeThrough(folder, shared, use);
  const plain = join(shared, name);
  const found = lstatSync(plain, { throwIfNoEntry: false });
  const isFree = found === undefined || isOwn(found);
  const taken = isFree ? {} : { takenBy: userWords(found.uid) };
  let other: string | undefined;
  try {
    other = readdirSync(shared)
      .filter((entry) => entry.startsWith(`${name}-`))
      .toSorted()
      .map((entry) => join(shared, entry))
      .find((path) => isOwn(lstatSync(path, { throwIfNoEntry: false })));
    if (other === undefined && !isFree) {
      other = mkdtempSync(`${plain}-`);
    }
  } catch (error) {
    throw diskError(error, `cannot make ${use.what} in ${shared}`);
  }
  return { path: other ?? makeOwnFolder(plain, use), ...taken };
}

function isOwn(stats: Stats | undefined): boolean {
  return stats?.isDirectory() === true && stats.uid === ownUser() && !isWritableByOthers(stats);
}

function rulesOf(path: string, use: Use) {
  return {
    through: (folder: Step) => {
      expectSafeThrough(folder, path, use);
    },
    link: (link: Step, folder: Step) => {
      expectSafeLink(link, folder, path, use);
    },
  };
}

function walkOwn(path: string, use: FolderUse): Place {
  const place = walkPath(path, rulesOf(path, use));
  try {
    if (place.missing.length === 0) {
      expectFolder(place, path, use);
    }
    return place;
  } catch (error) {
    closeSync(place.fd);
    throw error;
  }
}

function expectFolder(step: Step, path: string, use: FolderUse): void {
  if (!step.stats.isDirectory()) {
    throw new ParsError('usage', `${use.what} ${path}: expected a folder, found something else`);
  }
  (use.mayBeForAll === true ? expectSafeThrough : expectOwn)(step, path, use);
}
