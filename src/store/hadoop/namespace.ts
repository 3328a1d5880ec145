// HDFS's namespace as stores need it, whichever protocol asks the NameNode: folders of paths, listings page by page, and what a file
// or folder is to a store.

import { ParsError } from '../../../introspect/pars-error.js';
import type { RemoveOptions, StoredFile } from '../store.js';

/** What dfs.namenode.fs-limits.max-directory-items allows in one folder unless a cluster says otherwise. */
const maxListedCount = 2 ** 20;
/** With pages of 1000, as they are by default, a tenth of these would do. */
const maxPageCount = 10_000;

/** The folder of an absolute path, '' being the root folder. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ParsError && error.code === 'not-found';
}

export interface ListingPage<Entry> {
  /** Names within the folder, in order. */
  readonly entries: readonly { readonly name: string; readonly entry: Entry }[];
  /** How many come after this page. */
  readonly remainingCount: number;
}

/**
 * All entries of a folder. `askPage` gives those after the last entry of the page before, undefined where there is no folder;
 * `doing` opens the error, `unsupported`, for a listing that does not end.
 */
export async function listByPage<Entry>(
  doing: string,
  askPage: (last: Entry | undefined) => Promise<ListingPage<Entry> | undefined>,
): Promise<readonly { readonly name: string; readonly entry: Entry }[]> {
  const found: { readonly name: string; readonly entry: Entry }[] = [];
  const seen = new Set<string>();
  const endless = (problem: string): ParsError =>
    new ParsError(
      'unsupported',
      `${doing}: ${problem}; expected each name once, and at most ${maxListedCount}`,
    );
  for (let pageCount = 1; ; pageCount++) {
    const page = await askPage(found.at(-1)?.entry);
    if (page === undefined) {
      return found;
    }
    for (const entry of page.entries) {
      if (seen.has(entry.name)) {
        throw endless('the same name comes twice');
      }
      seen.add(entry.name);
      found.push(entry);
    }
    if (page.remainingCount === 0 || page.entries.length === 0) {
      return found;
    }
    if (found.length >= maxListedCount || pageCount >= maxPageCount) {
      throw endless(`${found.length} names in ${pageCount} pages, and there are more`);
    }
  }
}

/** What the NameNode says of a file or folder. */
export interface NamespaceEntry {
  readonly isFolder: boolean;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
  /** What of it cannot be, in words: one such file must not hide those beside it. */
  readonly problem: string | undefined;
}

/** `name` is the full one in the store. */
export function storedFile(
  name: string,
  { isFolder, sizeBytes, modifiedMs, problem }: NamespaceEntry,
): StoredFile {
  const kind = isFolder ? 'folder' : 'file';
  return problem === undefined
    ? { name, kind, sizeBytes: isFolder ? 0 : sizeBytes, modifiedMs }
    : { name, kind, sizeBytes: 0, modifiedMs: 0, problem };
}

/** Throws `usage` where what is at the path is of another kind than the one to be removed. */
export function expectRemovable(
  path: string,
  isFolder: boolean,
  only: NonNullable<RemoveOptions['only']>,
): void {
  if (isFolder !== (only === 'empty-folder')) {
    const kind = isFolder ? 'a folder' : 'a file';
    throw new ParsError('usage', `${path}: it is ${kind}, and was to be removed as another`);
  }
}
