// One disk folder: what is in it, and the marker that says which disk of which store it is.
//
//   pars-disk.json      the marker (marker.ts)
//   names/NAME/=...     the store's names, all of them on every disk: a folder per file that holds the file's entry
//   data/ID             copies of files, only on the disks that the entry lists
//   data/.ID.crc        the checksum file of a copy
//   writing/            copies and entries that are not whole yet, and a `.intent` folder per change under way
//   removed/            names that were removed: while their copies go, and as the proof of it while a disk is away
//   set-aside/          names that a disk had beyond the others when it caught up, as a tree for each time (set-aside.ts)
//   making/             in the first disk's folder while the store is made (make-store.ts)
//
// A folder without the marker is no disk of the store, whatever its path: the mount point of an unmounted disk looks
// like that. So nothing here makes a missing folder except `initialiseDisk`.

import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ParsError } from '../../../../introspect/pars-error.js';
import { isAbsent, isTaken, toParsError } from '../node-error.js';
import { decodeMarker, type DiskMarker, encodeMarker, markerMaxBytes } from './marker.js';

export const privateFolderMode = 0o700;
export const privateFileMode = 0o600;

const markerFileName = 'pars-disk.json';
/** What every disk has. */
export const diskFolders: readonly string[] = ['names', 'data', 'writing', 'removed'];
export const makingFolder = 'making';

export interface Disk {
  readonly folder: string;
  readonly marker: DiskMarker;
}

/** The disk at `folder`; undefined when there is none, which is what a lost disk looks like. */
export async function readDisk(folder: string): Promise<Disk | undefined> {
  const marker = await readMarker(folder);
  if (marker !== undefined) {
    return { folder, marker };
  }
  // Never so on an empty mount point, nor while a disk is being made.
  if (!(await isFilled(folder))) {
    return undefined;
  }
  // A disk gets its marker before any file: another process may have made it, and used it, between the two looks.
  const madeMeanwhile = await readMarker(folder);
  if (madeMeanwhile !== undefined) {
    return { folder, marker: madeMeanwhile };
  }
  throw new ParsError(
    'corrupt',
    `${path.join(folder, markerFileName)}: the marker is missing from a disk that holds files`,
  );
}

async function readMarker(folder: string): Promise<DiskMarker | undefined> {
  const file = path.join(folder, markerFileName);
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > markerMaxBytes) {
      throw new ParsError(
        'corrupt',
        `${file}: expected a disk's marker of at most ${markerMaxBytes} bytes, found ${size}`,
      );
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw toParsError(error, `reading the marker of the disk ${folder}`);
  }
  return decodeMarker(text, file);
}

async function isFilled(folder: string): Promise<boolean> {
  for (const child of ['names', 'data']) {
    try {
      if ((await readdir(path.join(folder, child))).length > 0) {
        return true;
      }
    } catch {
      // Not there, or the disk fails: it is lost in either way.
    }
  }
  return false;
}

/** Replaces the marker in one step, so that a reader finds the old one or the new one. */
export async function writeMarker(folder: string, marker: DiskMarker): Promise<void> {
  await rename(await stageMarker(folder, marker), path.join(folder, markerFileName));
  await syncFolder(folder);
}

/** Makes a disk in `folder`, which exists. The marker comes last: until then it is no disk. One that is there stays. */
export async function initialiseDisk(folder: string, marker: DiskMarker): Promise<void> {
  for (const child of diskFolders) {
    await mkdir(path.join(folder, child), { recursive: true, mode: privateFolderMode });
  }
  const staged = await stageMarker(folder, marker);
  try {
    // Unlike a rename, it replaces nothing.
    await link(staged, path.join(folder, markerFileName));
  } catch (error) {
    // Some file systems have no links.
    if (!isTaken(error) && (await readDisk(folder)) === undefined) {
      await rename(staged, path.join(folder, markerFileName));
    }
  }
  await rm(staged, { force: true });
  await syncFolder(folder);
}

async function stageMarker(folder: string, marker: DiskMarker): Promise<string> {
  const staged = path.join(folder, 'writing', randomUUID());
  await writeDurably(staged, Buffer.from(encodeMarker(marker)));
  return staged;
}

/** A new file with `bytes`, on the disk's platters when this returns; EEXIST when the path is taken. */
export async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', privateFileMode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the folder's own entries durable: renames and new names in it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
