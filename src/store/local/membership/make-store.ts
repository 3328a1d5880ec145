// Makes a store of folders, whoever else makes the same one at the same moment: uploads that are the first may race, and
// one that was killed amid it is no hindrance.
//
// Which store it is to be is decided once, by a rename that only the first can do: the folder `making` in the first disk's
// folder, with the store's id as the name of a file in it. Everyone then gives every disk its marker, which are the same,
// the first disk's last; a marker that is there already stays. `making` goes when all have one.
//
// So who finds a marker and no `making` finds a store that is whole. Who makes `making` anew because he looked too early
// finds the markers afterwards, and takes their id.

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { Disk } from '../disks/disk.js';
import {
  diskFolders,
  initialiseDisk,
  makingFolder,
  privateFolderMode,
  readDisk,
  syncFolder,
  writeDurably,
} from '../disks/disk.js';
import { isAbsent, isTaken, translated } from '../node-error.js';
import type { LocalUrl } from '../url.js';
import { judgedDisks } from './membership.js';

const storeIdSchema = z.uuid();

/** Whether somebody is making the store, or was killed amid it before anything was stored. */
export async function isBeingMade({ diskFolders: [first] }: LocalUrl): Promise<boolean> {
  return (await idBeingMade(first)) !== undefined;
}

/** Returns the store's id. Every folder is a disk of it then. */
export async function makeStore(url: LocalUrl): Promise<string> {
  const [first] = url.diskFolders;
  for (const folder of url.diskFolders) {
    await makeReady(folder, url);
  }
  return await translated(`making a store in ${first}`, async () => {
    const decided = await decideId(first);
    // After the id: a store that was made meanwhile shows itself now.
    const { members } = await judgedDisks(url.diskFolders);
    const storeId = members?.current[0].marker.storeId ?? decided;
    if (await isUnused(members?.present ?? [])) {
      for (const [index, folder] of [...url.diskFolders.entries()].toReversed()) {
        await initialiseDisk(folder, {
          storeId,
          diskNumber: index + 1,
          maxDiskNumber: url.diskFolders.length,
          epoch: 1,
          leftBehind: {},
          followers: {},
          hasChecksum: true,
        });
      }
    }
    await endMaking(first, decided);
    return storeId;
  });
}

/** Makes the folder if the store owns it, and sees to it that nothing of anyone else's is in it. */
export async function makeReady(folder: string, url: LocalUrl): Promise<void> {
  await translated(`making a disk in ${folder}`, async () => {
    if (url.ownsFolders) {
      await mkdir(folder, { recursive: true, mode: privateFolderMode });
    }
    let children: readonly string[];
    try {
      children = await readdir(folder);
    } catch (error) {
      if (!isAbsent(error)) {
        throw error;
      }
      throw new ParsError('usage', `${folder} is no folder; make it or mount the disk there`);
    }
    for (const child of children) {
      // A disk that another process is making, or has made meanwhile, is as good.
      if (!(await isOfNewDisk(folder, child)) && (await readDisk(folder)) === undefined) {
        throw new ParsError(
          'usage',
          `${folder}: expected an empty folder or a disk of the store, found '${child}'; name another folder`,
        );
      }
    }
  });
}

/** What mke2fs leaves in every new file system, and what a disk has before its marker: folders with nothing in them. */
async function isOfNewDisk(folder: string, child: string): Promise<boolean> {
  if (child === 'lost+found') {
    return true;
  }
  if (child !== makingFolder && !diskFolders.includes(child)) {
    return false;
  }
  try {
    const inside = await readdir(path.join(folder, child));
    const areOwn = [makingFolder, 'writing'].includes(child) && inside.every(isStoreId);
    return inside.length === 0 || areOwn;
  } catch (error) {
    if (isAbsent(error)) {
      return false;
    }
    throw error;
  }
}

/** The id that the first to come here gave, this process or another. */
async function decideId(first: string): Promise<string> {
  const writing = path.join(first, 'writing');
  await mkdir(writing, { recursive: true, mode: privateFolderMode });
  const storeId = randomUUID();
  const staged = path.join(writing, randomUUID());
  await mkdir(staged, { mode: privateFolderMode });
  await writeDurably(path.join(staged, storeId), new Uint8Array());
  try {
    await rename(staged, path.join(first, makingFolder));
    await syncFolder(first);
    return storeId;
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (!isTaken(error)) {
      throw error;
    }
    // Gone again where another process has just ended the making; then there are markers, and they say it.
    return (await idBeingMade(first)) ?? storeId;
  }
}

async function idBeingMade(first: string): Promise<string | undefined> {
  try {
    const children = await readdir(path.join(first, makingFolder));
    return children.find(isStoreId);
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw error;
  }
}

async function endMaking(first: string, decided: string): Promise<void> {
  const making = path.join(first, makingFolder);
  await rm(path.join(making, decided), { force: true });
  await rmdir(making).catch((error: unknown) => {
    // Another process has ended it, or makes it anew and will find the markers.
    if (!isAbsent(error) && !isTaken(error)) {
      throw error;
    }
  });
}

/** What is staged has a name of this kind too. */
function isStoreId(text: string): boolean {
  return storeIdSchema.safeParse(text).success;
}

/** A disk that is missing from a store in use is a lost disk, and none to be made. */
async function isUnused(disks: readonly Disk[]): Promise<boolean> {
  for (const { folder, marker } of disks) {
    if (marker.epoch > 1 || (await readdir(path.join(folder, 'names'))).length > 0) {
      return false;
    }
  }
  return true;
}
