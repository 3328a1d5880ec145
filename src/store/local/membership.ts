// Which disks' names can be trusted. Names lie on every disk, but a disk that was away, full or read-only while names
// changed has old ones, and may come back at any time.
//
// The rule: every change is made on all *current* disks. Where the set that took it differs from the set written down,
// the new set is written to its own disks as a new epoch before the change is acknowledged. So the disks of the highest
// epoch are current; the others keep their copies of files, which never change, but are not asked for names until
// `catchUp` has made their names equal again. Among current disks the one with the lowest number decides.
//
// Nothing is cached: a disk that disappears is noticed by the next call, in this process and in any other.

import { ParsError } from '../../../introspect/pars-error.js';
import type { Disk } from './disk.js';
import { readDisk, writeMarker } from './disk.js';
import { toParsError } from './node-error.js';

export interface Membership {
  /** Disks that are there, ascending by number. At least one. */
  readonly present: readonly Disk[];
  /** Those of them whose names are up to date; the first decides. At least one. */
  readonly current: readonly Disk[];
}

/** The disks that are there, of any store. `failure` is why a disk that is listed could not be read, if one could not. */
export async function readDisks(
  folders: readonly string[],
): Promise<{ readonly disks: readonly Disk[]; readonly failure: Error | undefined }> {
  const outcomes = await Promise.allSettled(folders.map(readDisk));
  let failure: Error | undefined;
  const disks: Disk[] = [];
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') failure ??= outcome.reason as Error;
    else if (outcome.value !== undefined) disks.push(outcome.value);
  }
  disks.sort((a, b) => a.marker.diskNumber - b.marker.diskNumber);
  return { disks, failure };
}

/** Throws `unavailable` when none of the store's disks is there. */
export async function readMembership(
  folders: readonly string[],
  storeId: string,
): Promise<Membership> {
  const { disks, failure } = await readDisks(folders);
  const present = disks.filter((disk) => disk.marker.storeId === storeId);
  if (present.length === 0) {
    if (failure !== undefined) throw failure;
    throw new ParsError(
      'unavailable',
      `none of the store's disks is there: ${folders.join(', ')}; mount them and try again`,
    );
  }
  const epoch = highestEpoch(present);
  return { present, current: present.filter((disk) => disk.marker.epoch === epoch) };
}

/** Throws `usage` when disks are not of one store, or were changed while each could not see the other. */
export function checkOneHistory(disks: readonly Disk[]): void {
  const [first] = disks;
  const deciding = disks.find((disk) => disk.marker.epoch === highestEpoch(disks)) ?? first;
  const numbers = new Set<number>();
  for (const disk of disks) {
    const { storeId, diskNumber, epoch } = disk.marker;
    if (storeId !== first.marker.storeId) {
      throw new ParsError(
        'usage',
        `${first.folder} and ${disk.folder} are disks of two stores; list the disks of one`,
      );
    }
    if (numbers.has(diskNumber)) {
      throw new ParsError('usage', `${disk.folder} is listed twice, as disk ${diskNumber}`);
    }
    numbers.add(diskNumber);

    const knownEpoch = deciding.marker.leftBehind[diskNumber];
    if (knownEpoch !== undefined && epoch > knownEpoch) {
      throw new ParsError(
        'usage',
        `${deciding.folder} and ${disk.folder} were both changed while the other was away; ` +
          `list only the disks to go on with in ?disks=, and empty the others before they are taken in again`,
      );
    }
  }
}

/** Makes `followers` the current disks if they are not written down as just those. */
export async function recordFollowers(
  members: Membership,
  followers: readonly Disk[],
): Promise<void> {
  const { epoch, leftBehind } = members.current[0].marker;
  const maxDiskNumber = Math.max(
    ...members.present.flatMap(({ marker }) => [marker.maxDiskNumber, marker.diskNumber]),
  );
  const followerNumbers = new Set(followers.map((disk) => disk.marker.diskNumber));
  const newLeftBehind: Partial<Record<string, number>> = {};
  let isRecorded = followers.every((disk) => disk.marker.epoch === epoch);
  for (let diskNumber = 1; diskNumber <= maxDiskNumber; diskNumber++) {
    const knownEpoch = leftBehind[diskNumber];
    if (followerNumbers.has(diskNumber)) isRecorded &&= knownEpoch === undefined;
    else {
      isRecorded &&= knownEpoch !== undefined;
      newLeftBehind[diskNumber] = knownEpoch ?? epoch;
    }
  }
  if (isRecorded) return;

  const outcomes = await Promise.allSettled(
    followers.map((disk) =>
      writeMarker(disk.folder, {
        ...disk.marker,
        maxDiskNumber,
        epoch: epoch + 1,
        leftBehind: newLeftBehind,
      }),
    ),
  );
  // A disk that did not take the marker has the lower epoch now, so it is not current: nothing more to record.
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  if (failed.length === followers.length) {
    throw toParsError(failed[0].reason, 'recording which disks hold the current names');
  }
}

function highestEpoch(disks: readonly Disk[]): number {
  return Math.max(...disks.map((disk) => disk.marker.epoch));
}
