// Turns folders into a store's disks: all of them for a new store, single ones to replace what was lost. An empty
// folder may be the mount point of a disk that is not mounted now, and data written there would vanish under the mount;
// so mount points are initialised only when the caller asks for it.

import { randomUUID } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';

import { ParsError } from '../../../introspect/pars-error.js';
import type { Disk } from './disk.js';
import { initialiseDisk, privateFolderMode } from './disk.js';
import { checkOneHistory, readDisks } from './membership.js';
import { isAbsent, translated } from './node-error.js';
import type { LocalUrl } from './url.js';

export interface LocalStoreOptions {
  /** Make disks of the listed folders that are empty: for a new store, or to replace lost disks. */
  readonly initialiseDisks?: boolean;
  /** Throw `not-found` where there is no store yet, rather than make one. For those who only read. */
  readonly mustExist?: boolean;
  /** Remove copies that no name refers to and that are a day old, as killed writers leave them. */
  readonly removeOrphans?: boolean;
}

/** Returns the id of the store on the listed disks. Throws `not-found` when there is none and none may be made. */
export async function prepareDisks(
  url: LocalUrl,
  { initialiseDisks = false, mustExist = false }: LocalStoreOptions,
): Promise<string> {
  const { disks, failure } = await readDisks(url.diskFolders);
  if (disks.length === 0) {
    if (failure !== undefined) throw failure;
    if (!url.ownsFolders && !initialiseDisks) {
      throw new ParsError(
        'not-found',
        `no disk of a store is at ${url.diskFolders.join(', ')}; mount the disks, ` +
          `or, if they are new and empty, take them with \`pars init\``,
      );
    }
    if (mustExist) {
      throw new ParsError(
        'not-found',
        `no store is in ${path.dirname(url.diskFolders[0])}; check the path, or upload a snapshot to make one there`,
      );
    }
    return makeStore(url);
  }
  checkOneHistory(disks);
  if (initialiseDisks) await takeInEmptyFolders(url, disks);
  return disks[0].marker.storeId;
}

async function makeStore(url: LocalUrl): Promise<string> {
  for (const folder of url.diskFolders) await makeReady(folder, url);
  const storeId = randomUUID();
  for (const [index, folder] of url.diskFolders.entries()) {
    await translated(`making a disk in ${folder}`, () =>
      initialiseDisk(folder, {
        format: 'pars-local-store',
        version: 1,
        storeId,
        diskNumber: index + 1,
        maxDiskNumber: url.diskFolders.length,
        epoch: 1,
        leftBehind: {},
      }),
    );
  }
  return storeId;
}

/** The new disks are behind every other, so the catch-up of this open gives them their names. */
async function takeInEmptyFolders(url: LocalUrl, disks: readonly Disk[]): Promise<void> {
  const taken = new Set(disks.map((disk) => disk.folder));
  let diskNumber = Math.max(
    ...disks.flatMap(({ marker }) => [marker.maxDiskNumber, marker.diskNumber]),
  );
  for (const folder of url.diskFolders) {
    if (taken.has(folder)) continue;
    await makeReady(folder, url);
    diskNumber++;
    const marker = { ...disks[0].marker, diskNumber, epoch: 0, leftBehind: {} };
    await translated(`making a disk in ${folder}`, () => initialiseDisk(folder, marker));
  }
}

/** Makes the folder if the store owns it, and sees to it that nothing of anyone else's is in it. */
async function makeReady(folder: string, url: LocalUrl): Promise<void> {
  await translated(`making a disk in ${folder}`, async () => {
    if (url.ownsFolders) await mkdir(folder, { recursive: true, mode: privateFolderMode });
    let children: readonly string[];
    try {
      children = await readdir(folder);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      throw new ParsError('usage', `${folder} is no folder; make it or mount the disk there`);
    }
    // What mke2fs leaves in every new file system.
    const foreign = children.filter((child) => child !== 'lost+found');
    if (foreign.length > 0) {
      throw new ParsError(
        'usage',
        `${folder}: expected an empty folder or a disk of the store, found '${foreign[0]}'; name another folder`,
      );
    }
  });
}
