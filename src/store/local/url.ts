// The two forms of a local store's URL:
//
//   file:///srv/pars                        five folders /srv/pars/disk1 .. disk5, made when missing
//   file:///?disks=/mnt/a,/mnt/b,/mnt/c     mount points, one per disk; never made, since a missing one is a lost disk
//
// Percent-encoding is undone per path, so a comma within a path is written %2C.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ParsError } from '../../../introspect/pars-error.js';

export interface LocalUrl {
  /** Absolute paths, one per disk, each another. */
  readonly diskFolders: readonly string[];
  /** True for the first form: the folders are the store's own, so it may make them. */
  readonly ownsFolders: boolean;
}

export const localUrlForms = 'file:///folder or file:///?disks=/mount/point/1,/mount/point/2,...';

const ownDiskCount = 5;
/** Placement ranks every disk for every file; beyond this a cluster is the better store. */
const maxDiskCount = 64;

/** Throws `usage` for anything but the two forms. */
export function parseLocalUrl(text: string): LocalUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'file:') {
    throw wrongForm(text, 'it is no file: URL');
  }
  if (url.host !== '') {
    throw wrongForm(text, `it names the host '${url.host}'`);
  }
  if (url.hash !== '') {
    throw wrongForm(text, `it has the fragment '${url.hash}'`);
  }

  if (url.search === '') {
    if (url.pathname === '/') {
      throw wrongForm(text, 'it names no folder');
    }
    const folder = decoded(text, () => fileURLToPath(url));
    const numbers = Array.from({ length: ownDiskCount }, (_, index) => index + 1);
    return {
      diskFolders: numbers.map((diskNumber) => path.join(folder, `disk${diskNumber}`)),
      ownsFolders: true,
    };
  }

  if (url.pathname !== '/') {
    throw wrongForm(text, 'it names both a folder and a query');
  }
  const list = /^\?disks=([^&]*)$/.exec(url.search)?.[1];
  if (list === undefined) {
    throw wrongForm(text, `its query is '${url.search}'`);
  }
  const diskFolders = list.split(',').map((item) =>
    diskFolder(
      text,
      decoded(text, () => decodeURIComponent(item)),
    ),
  );
  if (diskFolders.length > maxDiskCount) {
    throw wrongForm(
      text,
      `it lists ${diskFolders.length} disks, at most ${maxDiskCount} are allowed`,
    );
  }
  if (new Set(diskFolders).size < diskFolders.length) {
    throw wrongForm(text, 'it lists a disk twice, so two copies would be lost with one disk');
  }
  return { diskFolders, ownsFolders: false };
}

function diskFolder(text: string, item: string): string {
  if (!path.isAbsolute(item)) {
    throw wrongForm(text, `'${item}' is not an absolute path`);
  }
  return path.resolve(item);
}

function decoded(text: string, decode: () => string): string {
  try {
    return decode();
  } catch (cause) {
    throw new ParsError('usage', `${text}: its percent-encoding is wrong`, { cause });
  }
}

function wrongForm(text: string, found: string): ParsError {
  return new ParsError('usage', `${text}: ${found}; expected ${localUrlForms}`);
}
