// One disk folder: what is in it, and the marker that says which disk of which store it is.
//
//   pars-disk.json      the marker
//   names/NAME/=...     the store's names, all of them on every disk: a folder per file that holds the file's entry
//   data/ID             copies of files, only on the disks that the entry lists
//   data/.ID.crc        the checksum file of a copy
//   writing/            copies and entries that are not whole yet, and a `.intent` folder per change under way
//   removed/            names taken away whose copies are being removed
//   making/             in the first disk's folder while the store is made (make-store.ts)
//
// A folder without the marker is no disk of the store, whatever its path: the mount point of an unmounted disk looks
// like that. So nothing here makes a missing folder except `initialiseDisk`.

import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { z } from 'zod';

import { ParsError } from '../../../introspect/pars-error.js';
import { isAbsent, isTaken, toParsError } from './node-error.js';

export const privateFolderMode = 0o700;
export const privateFileMode = 0o600;

const markerFileName = 'pars-disk.json';
/** What every disk has. */
export const diskFolders: readonly string[] = ['names', 'data', 'writing', 'removed'];
export const makingFolder = 'making';

const diskNumberSchema = z.int().min(1).max(9999);

const markerSchema = z.strictObject({
  format: z.literal('pars-local-store'),
  version: z.literal(1),
  /** The same on every disk of a store. */
  storeId: z.uuid(),
  /** Given once; a disk that replaces a lost one gets a number of its own. */
  diskNumber: diskNumberSchema,
  /** The highest number given so far. */
  maxDiskNumber: diskNumberSchema,
  /** Goes up whenever the set of disks that follow every change of the names becomes another. See membership.ts. */
  epoch: z.int().min(0),
  /** Disks that do not follow, by number, each with the epoch it was last known to follow in. */
  leftBehind: z.partialRecord(z.string().regex(/^\d{1,4}$/), z.int().min(0)),
});

export type DiskMarker = Readonly<z.infer<typeof markerSchema>>;

export interface Disk {
  readonly folder: string;
  readonly marker: DiskMarker;
}

/** The disk at `folder`; undefined when there is none, which is what a lost disk looks like. */
export async function readDisk(folder: string): Promise<Disk | undefined> {
  const file = path.join(folder, markerFileName);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw toParsError(error, `reading the marker of the disk ${folder}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ParsError('corrupt', `${file}: the disk's marker is not JSON`, { cause });
  }
  const parsed = markerSchema.safeParse(value);
  if (!parsed.success) {
    throw new ParsError(
      'unsupported',
      `${file}: expected the marker of a disk of version 1: ${z.prettifyError(parsed.error)}`,
    );
  }
  return { folder, marker: parsed.data };
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
  await writeDurably(staged, Buffer.from(`${JSON.stringify(marker, null, 2)}\n`));
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
