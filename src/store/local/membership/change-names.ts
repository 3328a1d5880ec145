// A change of names, made on every current disk. The deciding disk goes first, and its rename(2) is the moment of the
// change: it answers whether the name is free or there, and readers ask it. The others follow; one that cannot is left
// behind (see membership.ts).
//
// An intent, a folder on the deciding disk while the change is under way, is what a process that dies leaves; the next
// open finds it and brings the disks together. Limit: if after such a death the deciding disk is lost too before the
// next open, the change may be undone, which no caller has been told was done.

import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { Disk } from '../disks/disk.js';
import { privateFolderMode } from '../disks/disk.js';
import type { Membership } from './membership.js';
import { recordFollowers } from './membership.js';

export const intentSuffix = '.intent';

/**
 * Calls `change` for each current disk and `afterwards` with those that took it. Throws the deciding disk's answer
 * (`not-found`, `already-exists`, `usage`), or the first failure when no disk took the change. One call at a time: the
 * disks must see changes in one order.
 */
export async function changeNames(
  readMembers: () => Promise<Membership>,
  change: (disk: Disk) => Promise<void>,
  afterwards: (members: Membership, followers: readonly Disk[]) => Promise<void> = () =>
    Promise.resolve(),
  attemptCount = 4,
): Promise<void> {
  const members = await readMembers();
  const intents: string[] = [];
  let failure: unknown;
  for (const [index, disk] of members.current.entries()) {
    try {
      intents.push(await declareIntent(disk));
      await change(disk);
    } catch (error) {
      if (isAnswer(error)) {
        await withdraw(intents);
        throw error;
      }
      failure ??= error;
      continue;
    }
    const others = members.current.slice(index + 1);
    const outcomes = await Promise.allSettled(others.map(change));
    const followers = [
      disk,
      ...others.filter((_, otherIndex) => outcomes[otherIndex].status === 'fulfilled'),
    ];
    // Read again: a disk that another process took in meanwhile has not seen this change, and one that it left behind has
    // not seen another.
    const now = await readMembers();
    const numbers = followers.map(({ marker }) => marker.diskNumber);
    const current = now.current.filter(({ marker }) => numbers.includes(marker.diskNumber));
    if (current.length === 0) {
      await withdraw(intents);
      if (attemptCount === 1) {
        throw new ParsError(
          'unavailable',
          'the disks that took the change were left behind by another process again and again; try again later',
        );
      }
      await changeNames(readMembers, change, afterwards, attemptCount - 1);
      return;
    }
    await recordFollowers(now, current);
    await afterwards(now, current);
    await withdraw(intents);
    return;
  }
  await withdraw(intents);
  throw failure;
}

export async function declareIntent(disk: Disk): Promise<string> {
  const intent = path.join(disk.folder, 'writing', `${randomUUID()}${intentSuffix}`);
  await mkdir(intent, { mode: privateFolderMode });
  return intent;
}

/** An intent that cannot be removed costs the next open a comparison of names, nothing else. */
export async function withdraw(intents: readonly string[]): Promise<void> {
  await Promise.allSettled(intents.map((intent) => rm(intent, { recursive: true, force: true })));
}

function isAnswer(error: unknown): boolean {
  return (
    error instanceof ParsError && ['not-found', 'already-exists', 'usage'].includes(error.code)
  );
}
