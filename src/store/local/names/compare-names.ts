// What the names on a disk that comes back have beyond those of the deciding disk, and whether it is proven that they
// went from the store: that they were removed or renamed while the disk was away. What is not proven may be a snapshot
// that the deciding disk has lost, so nobody forgets it without being told to.

import { setTimeout as delay } from 'node:timers/promises';
import type { Disk } from '../disks/disk.js';
import { isAbsent } from '../node-error.js';
import { isClaim } from './claims.js';
import { encodeNameEntry } from './name-entry.js';
import {
  lookUp,
  movedNames,
  removedIds,
  type WalkedEntry,
  walkNames,
  walkRemoved,
} from './name-tree.js';
import { walkSetAside } from './set-aside.js';

export interface NameDifference {
  readonly disk: Disk;
  /** On the disk alone, and proven to have gone from the store, or a claim. */
  readonly gone: readonly WalkedEntry[];
  /** On the disk alone, and nothing says why. */
  readonly unproven: readonly WalkedEntry[];
  /** On the deciding disk alone. */
  readonly missing: readonly WalkedEntry[];
}

/** Another process may be about to remove the name from this disk too. */
const recheckCount = 3;
const recheckDelayMs = 50;

/** `current`: disks whose word counts, the deciding one first. The disk's names are read before theirs (catch-up.ts). */
export async function compareNames(current: readonly Disk[], disk: Disk): Promise<NameDifference> {
  const [deciding] = current;
  const found = await namesOf(disk);
  const wanted = await namesOf(deciding);
  const extra = [...found].filter(([key]) => !wanted.has(key)).map(([, walked]) => walked);
  const missing = [...wanted].filter(([key]) => !found.has(key)).map(([, walked]) => walked);
  const gone: WalkedEntry[] = [];
  let unproven: readonly WalkedEntry[] = extra;
  for (let count = 1; unproven.length > 0 && count <= recheckCount; count++) {
    if (count > 1) {
      await delay(recheckDelayMs);
    }
    const isGone = await proofOf(current);
    gone.push(...unproven.filter(isGone));
    const rest = unproven.filter((walked) => !isGone(walked));
    // After the proof was looked for: whoever removes a name takes it from this disk before he drops the proof.
    const areThere = await Promise.all(rest.map((walked) => isThere(disk, walked)));
    unproven = rest.filter((_, index) => areThere[index]);
  }
  return { disk, gone, unproven, missing };
}

async function isThere(disk: Disk, { name, entry }: WalkedEntry): Promise<boolean> {
  const now = await lookUp(disk, name);
  return now?.kind === 'file' && now.entry.copyId === entry.copyId;
}

/**
 * What went: a file that was removed or set aside is told by its copy, and one that was renamed by its old name, if its
 * copy has another name now. That it has one is not enough: a flipped bit gives a file another name too.
 */
async function proofOf(current: readonly Disk[]): Promise<(walked: WalkedEntry) => boolean> {
  const [deciding] = current;
  const named = new Set<string>();
  for await (const { entry } of walkNames(deciding)) {
    named.add(entry.copyId);
  }
  const removed = new Set<string>();
  const moved = new Set<string>();
  for (const disk of current) {
    try {
      for (const removalId of await removedIds(disk)) {
        for await (const { entry } of walkRemoved(disk, removalId)) {
          removed.add(entry.copyId);
        }
      }
      for (const name of await movedNames(disk)) {
        moved.add(name);
      }
      for await (const { entry } of walkSetAside(disk)) {
        removed.add(entry.copyId);
      }
    } catch (error) {
      // Done with meanwhile by the process that removes.
      if (!isAbsent(error)) {
        throw error;
      }
    }
  }
  const wasMoved = (name: string): boolean => {
    const segments = name.split('/');
    return segments.some((_, index) => moved.has(segments.slice(0, index + 1).join('/')));
  };
  return ({ name, entry: { copyId } }) =>
    isClaim(name) || removed.has(copyId) || (named.has(copyId) && wasMoved(name));
}

async function namesOf(disk: Disk): Promise<ReadonlyMap<string, WalkedEntry>> {
  const entries = new Map<string, WalkedEntry>();
  for await (const walked of walkNames(disk)) {
    entries.set(`${walked.name}/${encodeNameEntry(walked.entry)}`, walked);
  }
  return entries;
}
