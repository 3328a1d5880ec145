// Names that a disk had beyond the others when it caught up: moved to `set-aside/WHEN-ID/NAME` on that disk, not removed.
// The copies that they refer to stay where they are. Names lie there for `setAsideKeptMs`, until a `pars prune` after
// that; `pars disks --bring-back` gives them back.

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Disk } from '../disks/disk.js';
import { privateFolderMode, syncFolder } from '../disks/disk.js';
import { isAbsent } from '../node-error.js';
import { type WalkedEntry, walkFolder } from './name-tree.js';

/** 30 days: a person who misses something after a disk came back has had the time to. */
export const setAsideKeptMs = 30 * 24 * 3600 * 1000;

/** One catch-up of one disk sets aside under one of these. */
export function newBatchName(): string {
  const when = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return `${when}Z-${randomUUID().slice(0, 8)}`;
}

/** Moves the file `name`, which is on `disk`, and removes the folders that it leaves empty. */
export async function setAside(disk: Disk, name: string, batch: string): Promise<void> {
  const target = path.join(folderOf(disk), batch, name);
  await mkdir(path.dirname(target), { recursive: true, mode: privateFolderMode });
  const source = path.join(disk.folder, 'names', name);
  await rename(source, target);
  await syncFolder(path.dirname(target));
  await syncFolder(path.dirname(source));
  const parents = name.split('/').slice(0, -1);
  for (let depth = parents.length; depth > 0; depth--) {
    try {
      await rmdir(path.join(disk.folder, 'names', ...parents.slice(0, depth)));
    } catch {
      // It holds other names.
      return;
    }
  }
}

/** The whole tree of names, which some damage keeps from being read name by name. */
export async function setAllAside(disk: Disk): Promise<void> {
  await mkdir(folderOf(disk), { recursive: true, mode: privateFolderMode });
  const names = path.join(disk.folder, 'names');
  await rename(names, path.join(folderOf(disk), newBatchName()));
  await mkdir(names, { mode: privateFolderMode });
  await syncFolder(disk.folder);
}

export interface SetAsideEntry extends WalkedEntry {
  readonly batch: string;
}

export async function* walkSetAside(disk: Disk): AsyncGenerator<SetAsideEntry> {
  for (const batch of await batchesOf(disk)) {
    for await (const walked of walkFolder(path.join(folderOf(disk), batch))) {
      yield { ...walked, batch };
    }
  }
}

/** What was set aside too long ago goes. */
export async function forgetSetAside(disk: Disk): Promise<void> {
  for (const batch of await batchesOf(disk)) {
    const folder = path.join(folderOf(disk), batch);
    if (Date.now() - (await stat(folder)).ctimeMs > setAsideKeptMs) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** One file that has been brought back. */
export async function dropSetAside(disk: Disk, { batch, name }: SetAsideEntry): Promise<void> {
  await rm(path.join(folderOf(disk), batch, name), { recursive: true, force: true });
}

async function batchesOf(disk: Disk): Promise<readonly string[]> {
  try {
    return (await readdir(folderOf(disk))).toSorted();
  } catch (error) {
    // Disks have the folder from the first time on.
    if (isAbsent(error)) {
      return [];
    }
    throw error;
  }
}

function folderOf(disk: Disk): string {
  return path.join(disk.folder, 'set-aside');
}
