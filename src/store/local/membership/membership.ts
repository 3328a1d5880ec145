// Which disks' names can be trusted. Names lie on every disk, but a disk that was away, full or read-only while names
// changed has old ones, and may come back at any time.
//
// The rule: every change is made on all *current* disks. Where the set that took it differs from the set written down,
// the new set is written to its own disks as a new epoch before the change is acknowledged. So the disks of the highest
// epoch are current; the others keep their copies of files, which never change, but are not asked for names until
// `catchUp` has made their names equal again. Among current disks the one with the lowest number decides.
//
// Who has proof: a highest epoch alone proves nothing, since one wrong disk can claim it. The disks of the highest epoch
// must say the same of the others, and what they say must account for each disk that is there with a lower one: left
// behind in its epoch or a later one, a follower that missed the marker, or new. A majority counts for nothing, as any
// disk may rightly have been changed while all others were away. Where an account is missing, it is an error (doubt.ts),
// and no disk is changed.
//
// Nothing is cached: a disk that disappears is noticed by the next call, in this process and in any other.

import { setTimeout as delay } from 'node:timers/promises';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { Disk } from '../disks/disk.js';
import { readDisk, writeMarker } from '../disks/disk.js';
import { doubt, settlingHint } from '../disks/doubt.js';
import type { EpochsByNumber } from '../disks/marker.js';
import { toParsError } from '../node-error.js';

/** Markers are written one after the other, so they are read again before they are called contradictory. */
const readingCount = 4;
const rereadingDelayMs = 50;

export interface Membership {
  /** Disks that are there, ascending by number. At least one. */
  readonly present: readonly Disk[];
  /** Disks that are there and whose names are up to date; the first decides. At least one. */
  readonly current: readonly Disk[];
}

export interface FoundDisks {
  /** Ascending by number, of any store. */
  readonly disks: readonly Disk[];
  /** Disks that are there with a marker that cannot be believed. */
  readonly damaged: readonly { readonly folder: string; readonly error: ParsError }[];
  /** Why a disk that is listed could not be read at all, if one could not: it fails, so it counts as lost. */
  readonly failure: Error | undefined;
}

export async function findDisks(folders: readonly string[]): Promise<FoundDisks> {
  const outcomes = await Promise.allSettled(folders.map(readDisk));
  let failure: Error | undefined;
  const damaged: { readonly folder: string; readonly error: ParsError }[] = [];
  const disks: Disk[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') {
      const error = outcome.reason as Error;
      if (isDamage(error)) {
        damaged.push({ folder: folders[index], error });
      } else {
        failure ??= error;
      }
    } else if (outcome.value !== undefined) {
      disks.push(outcome.value);
    }
  }
  disks.sort((a, b) => a.marker.diskNumber - b.marker.diskNumber);
  return { disks, damaged, failure };
}

/**
 * The disks of the store that are there, and those that decide. Throws `unavailable` when there is none, and what
 * `judgeDisks` throws.
 */
export async function readMembership(
  folders: readonly string[],
  storeId: string,
): Promise<Membership> {
  const { members, failure } = await judgedDisks(folders, storeId);
  if (members !== undefined) {
    return members;
  }
  if (failure !== undefined) {
    throw failure;
  }
  throw new ParsError(
    'unavailable',
    `none of the store's disks is there: ${folders.join(', ')}; mount them and try again`,
  );
}

/** As `readMembership`, of the one store there is unless told which; `members` is undefined when no disk is there. */
export async function judgedDisks(
  folders: readonly string[],
  storeId?: string,
): Promise<{ readonly members: Membership | undefined; readonly failure: Error | undefined }> {
  for (let count = 1; ; count++) {
    const { disks, damaged, failure } = await findDisks(folders);
    const own = disks.filter(({ marker }) => (storeId ?? marker.storeId) === marker.storeId);
    // Markers are replaced in one step, so this is no marker that is just being written.
    if (damaged.length > 0) {
      throw damageError(damaged, own);
    }
    try {
      return { members: own.length === 0 ? undefined : judgeDisks(own), failure };
    } catch (error) {
      if (count === readingCount) {
        throw error;
      }
      await delay(rereadingDelayMs);
    }
  }
}

/**
 * Which of `disks`, one or more, are current. Throws `usage` when they are not of one store, or were changed while each
 * could not see the other, and `corrupt` when their markers do not account for each other.
 */
export function judgeDisks(disks: readonly Disk[]): Membership {
  checkOneStore(disks);
  const epoch = Math.max(...disks.map((disk) => disk.marker.epoch));
  const current = disks.filter((disk) => disk.marker.epoch === epoch);
  const [deciding, ...agreeing] = current;
  const { leftBehind, maxDiskNumber } = deciding.marker;
  for (const disk of agreeing) {
    const isSame =
      disk.marker.maxDiskNumber === maxDiskNumber && isSameMap(disk.marker.leftBehind, leftBehind);
    if (!isSame) {
      throw doubt(
        disks,
        `${deciding.folder} and ${disk.folder} are both of epoch ${epoch}, but say different things of the other disks`,
      );
    }
  }
  for (const { folder, marker } of current) {
    if (marker.diskNumber > maxDiskNumber || leftBehind[marker.diskNumber] !== undefined) {
      throw doubt(
        disks,
        `${folder} says that it is disk ${marker.diskNumber}, which does not follow in epoch ${epoch}`,
      );
    }
  }
  for (const disk of disks) {
    if (!current.includes(disk)) {
      checkAccount(disk, deciding, disks);
    }
  }
  return { present: disks, current };
}

function checkOneStore(disks: readonly Disk[]): void {
  const [first] = disks;
  const numbers = new Set<number>();
  for (const { folder, marker } of disks) {
    if (marker.storeId !== first.marker.storeId) {
      throw new ParsError(
        'usage',
        `${first.folder} and ${folder} are disks of two stores; list the disks of one`,
      );
    }
    if (numbers.has(marker.diskNumber)) {
      const twins = disks.filter((disk) => disk.marker.diskNumber === marker.diskNumber);
      throw new ParsError(
        'usage',
        `${folder} is listed twice, as disk ${marker.diskNumber}: ` +
          `${twins.map((disk) => disk.folder).join(' and ')} have one disk's marker, as a copy of a disk has; ` +
          'list one of them in ?disks=, or move the other folder away',
      );
    }
    numbers.add(marker.diskNumber);
  }
}

/** Throws unless the deciding disk's marker accounts for `disk`, which has a lower epoch. */
function checkAccount(disk: Disk, deciding: Disk, disks: readonly Disk[]): void {
  const { epoch, leftBehind, followers, maxDiskNumber } = deciding.marker;
  const { marker } = disk;
  const knownEpoch = leftBehind[marker.diskNumber] ?? followers[marker.diskNumber];
  if (knownEpoch !== undefined) {
    if (marker.epoch <= knownEpoch) {
      return;
    }
    throw doubt(
      disks,
      `${deciding.folder} and ${disk.folder} were both changed while the other was away`,
      'usage',
    );
  }
  const isNew =
    marker.epoch === 0 &&
    marker.diskNumber > maxDiskNumber &&
    Object.keys(marker.leftBehind).length === 0;
  if (isNew) {
    return;
  }
  // Markers of version 1 do not list the followers: one of them may have missed the marker of one epoch.
  const ownEpoch = marker.leftBehind[deciding.marker.diskNumber];
  const missedOne =
    Object.keys(followers).length === 0 &&
    marker.epoch === epoch - 1 &&
    marker.diskNumber <= maxDiskNumber &&
    (ownEpoch === undefined || epoch <= ownEpoch);
  if (missedOne) {
    return;
  }
  throw doubt(
    disks,
    `${deciding.folder} claims the epoch ${epoch}, but does not account for ${disk.folder} with the epoch ${marker.epoch}`,
  );
}

function damageError(damaged: FoundDisks['damaged'], others: readonly Disk[]): ParsError {
  const [{ error }] = damaged;
  const found = damaged.map((each) => each.error.message).join('; ');
  if (others.length > 0) {
    return doubt(others, found, error.code);
  }
  return new ParsError(error.code, `${found}. Nothing was changed. ${settlingHint}`);
}

function isDamage(error: Error): error is ParsError {
  return error instanceof ParsError && ['corrupt', 'unsupported'].includes(error.code);
}

function isSameMap(a: EpochsByNumber, b: EpochsByNumber): boolean {
  // Keys that are numbers come in their order.
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Makes `followers` the current disks if they are not written down as just those. */
export async function recordFollowers(
  members: Membership,
  followers: readonly Disk[],
): Promise<void> {
  const { epoch, leftBehind } = members.current[0].marker;
  const maxDiskNumber = highestNumber(members.current[0], members.present);
  const followerNumbers = new Set(followers.map((disk) => disk.marker.diskNumber));
  const newLeftBehind: Partial<Record<string, number>> = {};
  let isRecorded = followers.every((disk) => disk.marker.epoch === epoch);
  for (let diskNumber = 1; diskNumber <= maxDiskNumber; diskNumber++) {
    const knownEpoch = leftBehind[diskNumber];
    if (followerNumbers.has(diskNumber)) {
      isRecorded &&= knownEpoch === undefined;
    } else {
      isRecorded &&= knownEpoch !== undefined;
      newLeftBehind[diskNumber] = knownEpoch ?? epoch;
    }
  }
  if (isRecorded) {
    return;
  }

  const before = Object.fromEntries(
    members.present
      .filter(({ marker }) => followerNumbers.has(marker.diskNumber))
      .map(({ marker }) => [marker.diskNumber, marker.epoch]),
  );
  const outcomes = await Promise.allSettled(
    followers.map((disk) =>
      writeMarker(disk.folder, {
        ...disk.marker,
        maxDiskNumber,
        epoch: epoch + 1,
        leftBehind: newLeftBehind,
        followers: before,
      }),
    ),
  );
  // A disk that did not take the marker has the lower epoch now, so it is not current: nothing more to record.
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failed.length === followers.length) {
    throw toParsError(failed[0].reason, 'recording which disks hold the current names');
  }
}

/**
 * Gives markers of version 1, once they have been found to agree, the checksum of version 2. One that another process has
 * changed since it was read stays. Not to be called while anybody is at work.
 */
export async function renewOldMarkers({ current }: Membership): Promise<void> {
  for (const { folder, marker } of current) {
    if (marker.hasChecksum) {
      continue;
    }
    const now = await readDisk(folder);
    if (JSON.stringify(now?.marker) === JSON.stringify(marker)) {
      await writeMarker(folder, marker);
    }
  }
}

/** Whether each disk that the store ever had is among `disks`, or in `exceptions` by its number. */
export function hasEveryDisk(
  { current: [deciding], present }: Membership,
  disks: readonly Disk[],
  exceptions: EpochsByNumber = {},
): boolean {
  const numbers = new Set(disks.map(({ marker }) => marker.diskNumber));
  for (let diskNumber = 1; diskNumber <= highestNumber(deciding, present); diskNumber++) {
    if (!numbers.has(diskNumber) && exceptions[diskNumber] === undefined) {
      return false;
    }
  }
  return true;
}

function highestNumber(deciding: Disk, present: readonly Disk[]): number {
  return Math.max(deciding.marker.maxDiskNumber, ...present.map(({ marker }) => marker.diskNumber));
}
