// Follows a path one name at a time, each from the folder that was opened before: what was looked at is what is opened,
// whatever others rename meanwhile. Every folder and every symbolic link on the way is shown to the caller's rules.
// (path_resolution(7), proc_pid_fd(5))
import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from './disk-error.js';

export interface Step {
  /** Without links. */
  readonly path: string;
  readonly stats: Stats;
}

export interface WalkRules {
  /** Called with every folder that the path leads through, not with its end. Throws what is wrong with it. */
  readonly through?: (folder: Step) => void;
  /** Called with every symbolic link, before it is followed. */
  readonly link: (link: Step, folder: Step) => void;
}

/** Where a path leads to, as far as it exists. */
export interface Place extends Step {
  /** A descriptor of what the path leads to, for its names and its status alone (`O_PATH`). The caller closes it. */
  readonly fd: number;
  /** Names that do not exist yet; the place is the folder where the first is missing. */
  readonly missing: readonly string[];
}

/** open(2); Node has no name for it. The number is that of every architecture but alpha, parisc and sparc. */
const openPath = 0o10000000;
/** As the kernel's own, MAXSYMLINKS. */
const linkLimit = 40;

/** The path of a name in an open folder, whatever the folder is called by now. */
export const nameIn = (folderFd: number, name: string): string =>
  `/proc/self/fd/${folderFd}/${name}`;

/** The path of an open file. */
export const pathOfOpen = (fd: number): string => `/proc/self/fd/${fd}`;

/** An open name, not followed where it is a link. Throws Node's error. */
export function openName(folderFd: number, name: string): number {
  return openSync(nameIn(folderFd, name), openPath | constants.O_NOFOLLOW);
}

/** Throws what the rules throw, `permission-denied`, and `usage` where a file stands in place of a folder. */
export function walkPath(path: string, rules: WalkRules): Place {
  const pending = (isAbsolute(path) ? path : `${process.cwd()}/${path}`).split('/');
  const rootFd = openSync('/', openPath | constants.O_DIRECTORY);
  let place: Step & { readonly fd: number } = { path: '/', fd: rootFd, stats: fstatSync(rootFd) };
  const goTo = (step: typeof place): void => {
    closeSync(place.fd);
    place = step;
  };
  let linkCount = 0;
  try {
    for (;;) {
      const name = pending.shift();
      if (name === undefined) {
        return { ...place, missing: [] };
      }
      if (name === '' || name === '.') {
        continue;
      }
      if (!place.stats.isDirectory()) {
        throw new ParsError('usage', `${path}: expected ${place.path} to be a folder`);
      }
      rules.through?.(place);
      const next = stepTo(place, name);
      if (next === undefined) {
        return { ...place, missing: [name, ...pending].filter((rest) => !/^\.?$/.test(rest)) };
      }
      if (!next.stats.isSymbolicLink()) {
        goTo(next);
        continue;
      }
      try {
        rules.link(next, place);
        linkCount++;
        if (linkCount > linkLimit) {
          throw new ParsError('usage', `${path} leads through more than ${linkLimit} links`);
        }
        const target = readlinkSync(nameIn(place.fd, name));
        pending.unshift(...target.split('/'));
        if (isAbsolute(target)) {
          const fd = openSync('/', openPath | constants.O_DIRECTORY);
          goTo({ path: '/', fd, stats: fstatSync(fd) });
        }
      } finally {
        closeSync(next.fd);
      }
    }
  } catch (error) {
    closeSync(place.fd);
    throw error instanceof ParsError ? error : diskError(error, `cannot look at ${path}`);
  }
}

/** Undefined when there is no such name. */
function stepTo(folder: Step & { readonly fd: number }, name: string) {
  let fd: number;
  try {
    fd = openName(folder.fd, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
  const path =
    name === '..'
      ? folder.path.slice(0, Math.max(1, folder.path.lastIndexOf('/')))
      : `${folder.path === '/' ? '' : folder.path}/${name}`;
  return { path, fd, stats: fstatSync(fd) };
}
