// The tree of names on one disk. A file is a folder that holds its entry and nothing else, because rename(2) of a
// folder is the one step of POSIX that is atomic, moves everything below, and refuses a target that is taken. So
// publishing, renaming and taking away are one rename each. An empty folder does not hold its name.
//
// Errors that answer the caller (`not-found`, `already-exists`, `usage`) are ParsErrors; whatever else the file system
// says is about this disk and is thrown as it came.

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ParsError } from '../../../../introspect/pars-error.js';
import { isSegment } from '../../store-name.js';
import type { Disk } from '../disks/disk.js';
import { privateFolderMode, syncFolder, writeDurably } from '../disks/disk.js';
import { isAbsent, isTaken } from '../node-error.js';
import type { NameEntry } from './name-entry.js';
import { decodeNameEntry, encodeNameEntry, isNameEntry } from './name-entry.js';

const movedSuffix = '.moved';

export type Named =
  | { readonly kind: 'file'; readonly entry: NameEntry }
  | { readonly kind: 'folder'; readonly modifiedMs: number };

/** What `name` is, '' for the root of names; undefined when there is nothing. */
export async function lookUp(disk: Disk, name: string): Promise<Named | undefined> {
  const folder = pathOf(disk, name);
  try {
    const children = await readdir(folder);
    checkChildren(children, folder);
    const entryName = children.find(isNameEntry);
    if (entryName !== undefined) {
      return { kind: 'file', entry: decodeNameEntry(entryName, folder) };
    }
    return { kind: 'folder', modifiedMs: Math.trunc((await stat(folder)).mtimeMs) };
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw error;
  }
}

/** Names directly below `folder`, in no order, without `folder` itself; empty when it is a file or does not exist. */
export async function childNames(disk: Disk, folder: string): Promise<readonly string[]> {
  const folderPath = pathOf(disk, folder);
  // The topmost folder is on every disk: without it no names at all would read as a store that is empty.
  const children = folder === '' ? await readdir(folderPath) : await readdirOrNone(folderPath);
  checkChildren(children, folderPath);
  return children.some(isNameEntry) ? [] : children;
}

/** Throws `already-exists` when `name` is taken or a file is in the way to it. */
export async function publish(disk: Disk, name: string, entry: NameEntry): Promise<void> {
  const staged = path.join(disk.folder, 'writing', randomUUID());
  await mkdir(staged, { mode: privateFolderMode });
  try {
    await writeDurably(path.join(staged, encodeNameEntry(entry)), new Uint8Array());
    await syncFolder(staged);
    await makeParents(disk, name);
    await renameInto(staged, disk, name);
  } catch (error) {
    // The next open sweeps what cannot be removed now; the failure that led here is the one to report.
    await rm(staged, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * A file, or a folder with all below it. What is left on the disk says which name went, until `forgetMove`: the proof
 * for a disk that comes back with it. Throws `not-found`, `already-exists`, or `usage` for a folder into itself.
 */
export async function move(disk: Disk, from: string, to: string, moveId: string): Promise<void> {
  if ((await lookUp(disk, from)) === undefined) {
    throw notFound(from);
  }
  if (from === to) {
    throw alreadyExists(to);
  }
  if (to.startsWith(`${from}/`)) {
    throw new ParsError('usage', `cannot rename ${from} to ${to}, which lies below it`);
  }
  await writeDurably(movedPath(disk, moveId), Buffer.from(from));
  await syncFolder(path.join(disk.folder, 'removed'));
  try {
    await makeParents(disk, to);
    await renameInto(pathOf(disk, from), disk, to);
  } catch (error) {
    await forgetMove(disk, moveId);
    throw error;
  }
  await syncFolder(path.dirname(pathOf(disk, from)));
}

export async function forgetMove(disk: Disk, moveId: string): Promise<void> {
  await rm(movedPath(disk, moveId), { force: true });
}

/** Names of files and folders that were renamed, as far as nobody has forgotten it yet. */
export async function movedNames(disk: Disk): Promise<readonly string[]> {
  const names: string[] = [];
  for (const child of await readdir(path.join(disk.folder, 'removed'))) {
    if (!child.endsWith(movedSuffix)) {
      continue;
    }
    const file = path.join(disk.folder, 'removed', child);
    // Forgotten meanwhile, or cut short by a crash before the rename.
    names.push(await readFile(file, 'utf8').catch(() => ''));
  }
  return names;
}

/**
 * Takes `name` with all below it out of the tree, as `removed/REMOVAL_ID`. Throws `not-found`, and `usage` for a folder where
 * `only` a file is meant.
 */
export async function takeAway(
  disk: Disk,
  name: string,
  removalId: string,
  only?: 'file',
): Promise<void> {
  if (only === 'file' && (await lookUp(disk, name))?.kind === 'folder') {
    throw new ParsError('usage', `${name}: it is a folder, and was to be removed as a file`);
  }
  try {
    await rename(pathOf(disk, name), removedPath(disk, removalId));
  } catch (error) {
    if (isAbsent(error)) {
      throw notFound(name);
    }
    throw error;
  }
  await syncFolder(path.dirname(pathOf(disk, name)));
}

/** Throws `not-found`, `already-exists` when there is something in it, and `usage` for a file. */
export async function removeEmpty(disk: Disk, name: string): Promise<void> {
  const named = await lookUp(disk, name);
  if (named !== undefined && named.kind !== 'folder') {
    throw new ParsError('usage', `${name}: it is a file, and was to be removed as a folder`);
  }
  try {
    await rmdir(pathOf(disk, name));
  } catch (error) {
    if (isAbsent(error)) {
      throw notFound(name);
    }
    if (isTaken(error)) {
      throw new ParsError('already-exists', `${name}: the folder is not empty`);
    }
    throw error;
  }
  await syncFolder(path.dirname(pathOf(disk, name)));
}

/** Whether a file is at `name` or below it. */
export async function hasFiles(disk: Disk, name: string): Promise<boolean> {
  const files = walk(pathOf(disk, name), name);
  try {
    return (await files.next()).done !== true;
  } finally {
    await files.return(undefined);
  }
}

export interface WalkedEntry {
  readonly name: string;
  readonly entry: NameEntry;
}

export function walkNames(disk: Disk): AsyncGenerator<WalkedEntry> {
  return walk(pathOf(disk, ''), '');
}

/** The entries of what `takeAway` took; their names are below what was removed. */
export function walkRemoved(disk: Disk, removalId: string): AsyncGenerator<WalkedEntry> {
  return walk(removedPath(disk, removalId), '');
}

/** As `walkNames`, of a tree that is no longer, or not, the disk's names. */
export function walkFolder(folder: string): AsyncGenerator<WalkedEntry> {
  return walk(folder, '');
}

/** What `takeAway` took on this disk and nobody has forgotten yet. */
export async function removedIds(disk: Disk): Promise<readonly string[]> {
  const children = await readdir(path.join(disk.folder, 'removed'));
  return children.filter((child) => !child.endsWith(movedSuffix));
}

export async function forgetRemoved(disk: Disk, removalId: string): Promise<void> {
  await rm(removedPath(disk, removalId), { recursive: true, force: true });
}

/** Folders may vanish while it walks, but never the topmost: no names at all would read as everything removed. */
async function* walk(folder: string, name: string): AsyncGenerator<WalkedEntry> {
  const children = name === '' ? await readdir(folder) : await readdirOrNone(folder);
  checkChildren(children, folder);
  for (const child of children) {
    if (isNameEntry(child)) {
      yield { name, entry: decodeNameEntry(child, folder) };
    } else {
      yield* walk(path.join(folder, child), name === '' ? child : `${name}/${child}`);
    }
  }
}

/** A damaged entry must not look like a folder, which would hide the file. */
function checkChildren(children: readonly string[], folder: string): void {
  const strange = children.find((child) => !isNameEntry(child) && !isSegment(child));
  if (strange !== undefined) {
    throw new ParsError(
      'corrupt',
      `${folder}: expected names in a store or one name entry, found ${JSON.stringify(strange)}`,
    );
  }
}

/** Segment by segment, never `names` itself: on the mount point of an unmounted disk that must fail. */
async function makeParents(disk: Disk, name: string): Promise<void> {
  let parent = pathOf(disk, '');
  for (const segment of name.split('/').slice(0, -1)) {
    const folder = path.join(parent, segment);
    try {
      await mkdir(folder, { mode: privateFolderMode });
      await syncFolder(parent);
    } catch (error) {
      if (!isTaken(error)) {
        throw error;
      }
      if ((await readdir(folder)).some(isNameEntry)) {
        throw new ParsError('already-exists', `${name}: '${segment}' on the way to it is a file`);
      }
    }
    parent = folder;
  }
}

async function renameInto(source: string, disk: Disk, name: string): Promise<void> {
  try {
    await rename(source, pathOf(disk, name));
  } catch (error) {
    if (isTaken(error)) {
      throw alreadyExists(name);
    }
    throw error;
  }
  await syncFolder(path.dirname(pathOf(disk, name)));
}

async function readdirOrNone(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsent(error)) {
      return [];
    }
    throw error;
  }
}

function pathOf(disk: Disk, name: string): string {
  return path.join(disk.folder, 'names', name);
}

function removedPath(disk: Disk, removalId: string): string {
  return path.join(disk.folder, 'removed', removalId);
}

function movedPath(disk: Disk, moveId: string): string {
  return removedPath(disk, `${moveId}${movedSuffix}`);
}

export function notFound(name: string): ParsError {
  return new ParsError('not-found', `${name}: there is no such name in the store`);
}

export function alreadyExists(name: string): ParsError {
  return new ParsError('already-exists', `${name}: the name is taken; nothing was overwritten`);
}
