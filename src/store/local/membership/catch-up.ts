// What an open does about the past: a disk that is there again, or a process that died amid a change. The deciding
// disk's names are copied to the disks that differ. What those have beyond it is set aside (set-aside.ts) where it is
// proven that it went from the store, and otherwise is an error: an open forgets nothing that could be asked about.
//
// Other processes may use the store meanwhile. A name is on the deciding disk before any other and leaves it first, so
// the other disk's names are read first (compare-names.ts). What a running process may be about to refer to is told from
// leftovers by age, and is left alone while anybody claims to be at work.

import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ParsError } from '../../../../introspect/pars-error.js';
import { copyIdOf, removeCopy } from '../copy.js';
import type { Disk } from '../disks/disk.js';
import { doubt } from '../disks/doubt.js';
import { hasClaim, isClaim } from '../names/claims.js';
import { compareNames, type NameDifference } from '../names/compare-names.js';
import { encodeNameEntry } from '../names/name-entry.js';
import {
  forgetRemoved,
  lookUp,
  publish,
  takeAway,
  type WalkedEntry,
  walkNames,
} from '../names/name-tree.js';
import { forgetSetAside, newBatchName, setAside, walkSetAside } from '../names/set-aside.js';
import { declareIntent, intentSuffix, withdraw } from './change-names.js';
import { hasEveryDisk, type Membership, recordFollowers, renewOldMarkers } from './membership.js';

/** No write takes a day without touching its files; a file that old belongs to a process that died. */
const abandonedAfterMs = 24 * 3600 * 1000;
/** A change may end between the looks at two disks. */
const comparisonCount = 4;
const comparisonDelayMs = 50;
/** Other processes may change who follows meanwhile. */
const attemptCount = 5;
/** While a disk is away the proofs of what was removed are kept, but not for ever: it may be away for good. */
export const proofKeptMs = 180 * 24 * 3600 * 1000;

/**
 * Brings the disks that are there together, as far as each can be written; none of it is needed for reading.
 * `removesOrphans`: looks for copies without a name also where nothing else is to be done, which takes reading all
 * names, and forgets what was set aside long ago. A process that died after its copies were whole and before it declared
 * the change has left no other sign.
 *
 * Throws `corrupt` when a disk has names that nobody can say what became of.
 */
export async function catchUp(
  readMembers: () => Promise<Membership>,
  removesOrphans = false,
): Promise<void> {
  let members = await readMembers();
  // Clocks may be wrong by more than a day, this host's or another's: what a writer may be at then stays.
  const isAtWork = await hasClaim(members.current);
  let isNeeded = members.present.length > members.current.length;
  for (const disk of members.present) {
    isNeeded ||= await hasIntent(disk);
  }
  let followers = members.current;
  if (isNeeded) {
    ({ members, followers } = await bringTogether(members, readMembers));
  } else if (!isAtWork) {
    await ignoringFailure(() => renewOldMarkers(members));
  }
  const keptMs = hasEveryDisk(members, followers) ? abandonedAfterMs : proofKeptMs;
  for (const disk of members.present) {
    if (!isAtWork) {
      await ignoringFailure(() => sweep(path.join(disk.folder, 'writing'), abandonedAfterMs));
    }
    await ignoringFailure(() => sweep(path.join(disk.folder, 'removed'), keptMs));
    if (removesOrphans) {
      await ignoringFailure(() => forgetSetAside(disk));
    }
  }
  if ((isNeeded || removesOrphans) && !isAtWork) {
    await ignoringFailure(() => removeOrphans(members, followers));
  }
}

interface Followers {
  readonly members: Membership;
  /** The disks that have the deciding disk's names now. */
  readonly followers: readonly Disk[];
}

/** Nothing is changed anywhere when a disk is in doubt. */
async function bringTogether(
  found: Membership,
  readMembers: () => Promise<Membership>,
): Promise<Followers> {
  let members = found;
  for (let count = 1; ; count++) {
    let differences: readonly NameDifference[];
    try {
      differences = await differencesOf(members);
    } catch (error) {
      const seen = members;
      members = await readMembers();
      // Of disks that came or went meanwhile, or that another process has just brought together, nothing is known yet.
      if (count === attemptCount || isSameMembership(seen, members)) {
        throw error;
      }
      continue;
    }
    const [deciding] = members.current;
    // A process that dies here leaves it, so the next open looks at the names again.
    const intents = await declareIntent(deciding).then(
      (intent) => [intent],
      () => [],
    );
    const followers = [deciding, ...(await followersBy(deciding, differences))];
    const now = await readMembers();
    if (isSameMembership(members, now)) {
      await ignoringFailure(async () => {
        await recordFollowers(members, followers);
        // A change that was made while the names were compared may not have known the disks that follow from now on.
        const joined = followers.filter((disk) => !members.current.includes(disk));
        for (const disk of joined) {
          await makeNamesEqual(deciding, await compareNames(members.current, disk));
        }
        await withdraw(intents);
      });
      return { members, followers };
    }
    await withdraw(intents);
    // Another process has written down who follows. Where that goes on and on, it is for the next open.
    members = now;
    if (count === attemptCount) {
      return { members, followers: members.current };
    }
  }
}

async function differencesOf({ present, current }: Membership): Promise<readonly NameDifference[]> {
  const [deciding] = current;
  const differences: NameDifference[] = [];
  for (const disk of present) {
    if (disk === deciding) {
      continue;
    }
    const difference = await unlessDiskFails(() =>
      current.includes(disk)
        ? compareFollower(present, current, disk)
        : compareNames(current, disk),
    );
    if (difference !== undefined) {
      differences.push(difference);
    }
  }
  for (const { disk, unproven } of differences) {
    if (unproven.length > 0) {
      throw unprovenNames(present, deciding, disk, unproven);
    }
  }
  return differences;
}

async function followersBy(
  deciding: Disk,
  differences: readonly NameDifference[],
): Promise<readonly Disk[]> {
  const followers: Disk[] = [];
  for (const difference of differences) {
    await ignoringFailure(async () => {
      await makeNamesEqual(deciding, difference);
      followers.push(difference.disk);
    });
  }
  return followers;
}

function isSameMembership(one: Membership, other: Membership): boolean {
  const textOf = ({ present, current }: Membership): string =>
    JSON.stringify([present, current].map((disks) => disks.map(({ marker }) => marker)));
  return textOf(one) === textOf(other);
}

/**
 * A current disk may differ only while a change is under way, or where a process died amid one. What differs at one look
 * and no more at the next is the work of somebody who is alive, and is his to finish.
 */
async function compareFollower(
  present: readonly Disk[],
  current: readonly Disk[],
  disk: Disk,
): Promise<NameDifference> {
  let lasting = await compareNames(current, disk);
  const intents: boolean[] = [];
  for (let count = 2; count <= comparisonCount; count++) {
    if (entriesOf(lasting).length === 0) {
      return lasting;
    }
    await delay(comparisonDelayMs);
    intents.push(...(await Promise.all(current.map(hasIntent))));
    lasting = inBoth(lasting, await compareNames(current, disk));
  }
  const different = entriesOf(lasting);
  if (different.length > 0 && !intents.includes(true)) {
    throw differingNames(present, current[0], disk, different);
  }
  return lasting;
}

function entriesOf({ unproven, gone, missing }: NameDifference): readonly WalkedEntry[] {
  return [...unproven, ...gone, ...missing];
}

/** What is proven may be so at the second look only. */
function inBoth(first: NameDifference, { disk, ...second }: NameDifference): NameDifference {
  const keyOf = ({ name, entry }: WalkedEntry): string => `${name}/${encodeNameEntry(entry)}`;
  const extra = new Set([...first.gone, ...first.unproven].map(keyOf));
  const missing = new Set(first.missing.map(keyOf));
  return {
    disk,
    gone: second.gone.filter((walked) => extra.has(keyOf(walked))),
    unproven: second.unproven.filter((walked) => extra.has(keyOf(walked))),
    missing: second.missing.filter((walked) => missing.has(keyOf(walked))),
  };
}

function differingNames(
  disks: readonly Disk[],
  deciding: Disk,
  disk: Disk,
  [{ name }]: readonly WalkedEntry[],
): ParsError {
  const { epoch } = deciding.marker;
  return doubt(
    disks,
    `${deciding.folder} and ${disk.folder} both follow in epoch ${epoch}, but differ in ${name}`,
  );
}

/**
 * Gives a disk the names that it lacks, and sets those aside that it has beyond the deciding disk's, which it returns. What
 * another process has changed since the two were compared is that one's to finish.
 */
export async function makeNamesEqual(
  deciding: Disk,
  { disk, gone, missing }: NameDifference,
): Promise<readonly { readonly folder: string; readonly name: string }[]> {
  const batch = newBatchName();
  const wereSetAside: { folder: string; name: string }[] = [];
  for (const walked of gone) {
    const { name } = walked;
    const isDone = async () => (await isNamed(deciding, walked)) || !(await isNamed(disk, walked));
    await unlessDone(isDone, async () => {
      if (isClaim(name)) {
        await drop(disk, name);
      } else {
        await setAside(disk, name, batch);
        wereSetAside.push({ folder: disk.folder, name });
      }
    });
  }
  for (const walked of missing) {
    const isDone = async () => !(await isNamed(deciding, walked)) || (await isNamed(disk, walked));
    await unlessDone(isDone, () => publish(disk, walked.name, walked.entry));
  }
  return wereSetAside;
}

/** Another process may be doing the same. */
async function unlessDone(isDone: () => Promise<boolean>, act: () => Promise<void>): Promise<void> {
  if (await isDone()) {
    return;
  }
  try {
    await act();
  } catch (error) {
    if (!(await isDone())) {
      throw error;
    }
  }
}

async function isNamed(disk: Disk, { name, entry }: WalkedEntry): Promise<boolean> {
  const named = await lookUp(disk, name);
  return named?.kind === 'file' && encodeNameEntry(named.entry) === encodeNameEntry(entry);
}

async function drop(disk: Disk, name: string): Promise<void> {
  const removalId = randomUUID();
  await takeAway(disk, name, removalId);
  await forgetRemoved(disk, removalId);
}

function unprovenNames(
  disks: readonly Disk[],
  deciding: Disk,
  disk: Disk,
  unproven: NameDifference['unproven'],
): ParsError {
  const names = unproven.slice(0, 3).map(({ name }) => name);
  const more = unproven.length > 3 ? ` and ${unproven.length - 3} more` : '';
  return doubt(
    disks,
    `${disk.folder} has ${names.join(', ')}${more}, which ${deciding.folder} has not, ` +
      'and no disk knows that it was removed',
  );
}

/**
 * Copies that no name refers to, on any disk that is there or set aside: written by a process that died. A disk that
 * lacks copies which it is said to have is left alone: names or copies on it may be damaged.
 */
async function removeOrphans(members: Membership, disks: readonly Disk[]): Promise<void> {
  if (!hasEveryDisk(members, members.present, members.current[0].marker.leftBehind)) {
    return;
  }
  const referred = new Set<string>();
  const copyIdsOnDisk = new Map<number, Set<string>>();
  for (const disk of members.present) {
    for await (const { entry } of walkNames(disk)) {
      referred.add(entry.copyId);
      for (const diskNumber of entry.diskNumbers) {
        const copyIds = copyIdsOnDisk.get(diskNumber) ?? new Set<string>();
        copyIdsOnDisk.set(diskNumber, copyIds.add(entry.copyId));
      }
    }
    for await (const { entry } of walkSetAside(disk)) {
      referred.add(entry.copyId);
    }
  }
  // Somebody may have come since the names were read, which can take long.
  if (await hasClaim(members.current)) {
    return;
  }
  for (const disk of disks) {
    const folder = path.join(disk.folder, 'data');
    const fileNames = await readdir(folder);
    const present = new Set(fileNames);
    const expected = [...(copyIdsOnDisk.get(disk.marker.diskNumber) ?? [])];
    if (!expected.every((copyId) => present.has(copyId))) {
      continue;
    }
    for (const fileName of fileNames) {
      const copyId = copyIdOf(fileName);
      const isOrphan = !referred.has(copyId);
      if (isOrphan && (await isOlder(path.join(folder, fileName), abandonedAfterMs))) {
        await removeCopy(disk, copyId);
      }
    }
  }
}

async function sweep(folder: string, keptMs: number): Promise<void> {
  for (const child of await readdir(folder)) {
    const leftover = path.join(folder, child);
    if (await isOlder(leftover, keptMs)) {
      await rm(leftover, { recursive: true, force: true });
    }
  }
}

/** Whether a change of names is under way on the disk, or a process died amid one. */
export async function hasIntent(disk: Disk): Promise<boolean> {
  try {
    const children = await readdir(path.join(disk.folder, 'writing'));
    return children.some((child) => child.endsWith(intentSuffix));
  } catch {
    // The disk fails; whoever needs it next says so.
    return false;
  }
}

/** By ctime: a rename into the folder counts as touching, and mtime would not tell. */
async function isOlder(file: string, ageMs: number): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).ctimeMs > ageMs;
  } catch {
    // Gone meanwhile: its owner lives.
    return false;
  }
}

/** Undefined when a file system fails; names that are there and wrong are an error. */
async function unlessDiskFails<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ParsError) {
      throw error;
    }
    return undefined;
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
