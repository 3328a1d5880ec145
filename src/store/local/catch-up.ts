// What an open does about the past: a disk that is there again, or a process that died amid a change. The deciding
// disk's names are copied to the disks that differ, and what nobody refers to is removed.
//
// Other processes may use the store meanwhile. A name is on the deciding disk before any other and leaves it first, so
// the other disk's names are read first: what it has beyond the deciding disk's is certainly removed. What a running
// process may be about to refer to is told from leftovers by age, and is left alone while anybody claims to be at work.

import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { claimsFolder } from '../store.js';
import { intentSuffix } from './change-names.js';
import { copyIdOf, removeCopy } from './copy.js';
import type { Disk } from './disk.js';
import type { Membership } from './membership.js';
import { recordFollowers } from './membership.js';
import { encodeNameEntry } from './name-entry.js';
import type { WalkedEntry } from './name-tree.js';
import { childNames, forgetRemoved, publish, takeAway, walkNames } from './name-tree.js';

/** No write takes a day without touching its files; a file that old belongs to a process that died. */
const abandonedAfterMs = 24 * 3600 * 1000;

/**
 * Brings the disks that are there together, as far as each can be written; none of it is needed for reading.
 * `removesOrphans`: looks for copies without a name also where nothing else is to be done, which takes reading all
 * names. A process that died after its copies were whole and before it declared the change has left no other sign.
 */
export async function catchUp(members: Membership, removesOrphans = false): Promise<void> {
  let isNeeded = members.present.length > members.current.length;
  const [deciding] = members.current;
  // Clocks may be wrong by more than a day, this host's or another's: what a writer may be at then stays.
  const isAtWork = await hasClaim(deciding);
  for (const disk of members.present) {
    isNeeded ||= await hasIntent(disk);
    await ignoringFailure(() => sweep(disk, isAtWork ? ['removed'] : ['writing', 'removed']));
  }
  if (!isNeeded) {
    if (removesOrphans && !isAtWork)
      await ignoringFailure(() => removeOrphans(members, members.current));
    return;
  }

  const followers = [deciding];
  for (const disk of members.present) {
    if (disk === deciding) continue;
    await ignoringFailure(async () => {
      await makeNamesEqual(deciding, disk);
      followers.push(disk);
    });
  }
  await ignoringFailure(() => recordFollowers(members, followers));
  if (!isAtWork) await ignoringFailure(() => removeOrphans(members, followers));
}

async function makeNamesEqual(deciding: Disk, disk: Disk): Promise<void> {
  const found = await namesOf(disk);
  const wanted = await namesOf(deciding);
  for (const [key, { name }] of found) {
    if (wanted.has(key)) continue;
    const removalId = randomUUID();
    await takeAway(disk, name, removalId);
    await forgetRemoved(disk, removalId);
  }
  for (const [key, { name, entry }] of wanted) {
    if (!found.has(key)) await publish(disk, name, entry);
  }
}

async function namesOf(disk: Disk): Promise<ReadonlyMap<string, WalkedEntry>> {
  const entries = new Map<string, WalkedEntry>();
  for await (const walked of walkNames(disk)) {
    entries.set(`${walked.name}/${encodeNameEntry(walked.entry)}`, walked);
  }
  return entries;
}

/** Copies that no name refers to: removed while the disk was away, or written by a process that died. */
async function removeOrphans(members: Membership, disks: readonly Disk[]): Promise<void> {
  const [deciding] = members.current;
  if (!isSurelyNewest(members)) return;
  const copyIds = new Set<string>();
  for await (const { entry } of walkNames(deciding)) copyIds.add(entry.copyId);
  for (const disk of disks) {
    const folder = path.join(disk.folder, 'data');
    for (const fileName of await readdir(folder)) {
      const copyId = copyIdOf(fileName);
      if (!copyIds.has(copyId) && (await isAbandoned(path.join(folder, fileName)))) {
        await removeCopy(disk, copyId);
      }
    }
  }
}

/**
 * Whether no disk that is away can know names that the deciding disk does not: those that followed it are all there.
 * Else it may itself have been left behind, and a copy of a name that it never saw is no orphan.
 */
function isSurelyNewest({ present, current: [deciding] }: Membership): boolean {
  const { maxDiskNumber, leftBehind } = deciding.marker;
  const presentNumbers = new Set(present.map(({ marker }) => marker.diskNumber));
  for (let diskNumber = 1; diskNumber <= maxDiskNumber; diskNumber++) {
    if (!presentNumbers.has(diskNumber) && leftBehind[diskNumber] === undefined) return false;
  }
  return true;
}

/** Also where that cannot be told. */
async function hasClaim(disk: Disk): Promise<boolean> {
  try {
    return (await childNames(disk, claimsFolder)).length > 0;
  } catch {
    return true;
  }
}

async function sweep(disk: Disk, folderNames: readonly string[]): Promise<void> {
  for (const folderName of folderNames) {
    const folder = path.join(disk.folder, folderName);
    for (const child of await readdir(folder)) {
      const leftover = path.join(folder, child);
      if (await isAbandoned(leftover)) await rm(leftover, { recursive: true, force: true });
    }
  }
}

async function hasIntent(disk: Disk): Promise<boolean> {
  try {
    const children = await readdir(path.join(disk.folder, 'writing'));
    return children.some((child) => child.endsWith(intentSuffix));
  } catch {
    // The disk fails; whoever needs it next says so.
    return false;
  }
}

/** By ctime: a rename into the folder counts as touching, and mtime would not tell. */
async function isAbandoned(file: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).ctimeMs > abandonedAfterMs;
  } catch {
    // Gone meanwhile: its owner lives.
    return false;
  }
}

/** A disk that cannot be written now stays behind, and a store that can only be read is opened as it is. */
async function ignoringFailure(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch {
    // Nothing acknowledged depends on it, and the next open tries again.
  }
}
