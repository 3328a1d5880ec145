// What the names are. The deciding disk says, and the other current disks are held against it: they took every change
// too, so a difference means that one of them was damaged, emptied, or put back to an older state, and it may be the
// deciding one. Only while a change is under way, or after a process died amid one, the deciding disk is right alone.

import { setTimeout as delay } from 'node:timers/promises';
import type { Disk } from '../disks/disk.js';
import { doubt } from '../disks/doubt.js';
import { encodeNameEntry } from '../names/name-entry.js';
import { childNames, hasFiles, lookUp, type Named } from '../names/name-tree.js';
import { toParsError } from '../node-error.js';
import { hasIntent } from './catch-up.js';
import type { Membership } from './membership.js';

/** A change may end between the answers of two disks; that it does so this often in a row is no chance. */
const askCount = 6;
const firstDelayMs = 10;

export interface NameSource {
  readonly members: Membership;
  /** The membership may change with the names. */
  readonly reread: () => Promise<Membership>;
}

/** What `name` is; undefined when there is nothing. Throws `corrupt` when current disks differ. */
export async function agreedName(source: NameSource, name: string): Promise<Named | undefined> {
  return await agreed(
    source,
    `looking up ${name}`,
    (disk) => lookUp(disk, name),
    async (a, b) => ((await isSameName(name, a, b)) ? undefined : name),
  );
}

/** Names directly below `folder`. Throws `corrupt` when current disks differ. */
export async function agreedChildren(
  source: NameSource,
  folder: string,
): Promise<readonly string[]> {
  return await agreed(
    source,
    `listing ${folder === '' ? 'the root' : folder}`,
    (disk) => childNames(disk, folder),
    async (a, b) => {
      const prefix = folder === '' ? '' : `${folder}/`;
      for (const [one, other] of [
        [a, b],
        [b, a],
      ]) {
        const known = new Set(other.value);
        for (const child of one.value) {
          const name = prefix + child;
          if (!known.has(child) && (await hasFiles(one.disk, name))) {
            return name;
          }
        }
      }
      return undefined;
    },
  );
}

interface Answer<T> {
  readonly disk: Disk;
  readonly value: T;
}

/** Asks every current disk; one that fails is passed over. `difference` names what two answers differ in. */
async function agreed<T>(
  source: NameSource,
  doing: string,
  ask: (disk: Disk) => Promise<T>,
  difference: (first: Answer<T>, other: Answer<T>) => Promise<string | undefined>,
): Promise<T> {
  let { members } = source;
  for (let count = 1; ; count++) {
    const [first, ...others] = await answersOf(members.current, doing, ask);
    let different: { readonly name: string; readonly disk: Disk } | undefined;
    for (const other of others) {
      const name = await difference(first, other);
      if (name !== undefined) {
        different ??= { name, disk: other.disk };
      }
    }
    if (different === undefined) {
      return first.value;
    }
    const intents = await Promise.all(members.current.map(hasIntent));
    if (intents.includes(true)) {
      return first.value;
    }
    if (count === askCount) {
      throw doubt(
        members.present,
        `${first.disk.folder} and ${different.disk.folder} both follow in epoch ${first.disk.marker.epoch}, ` +
          `but differ in ${different.name}`,
      );
    }
    await delay(firstDelayMs * 2 ** (count - 1));
    members = await source.reread();
  }
}

/** At least one. */
async function answersOf<T>(
  disks: readonly Disk[],
  doing: string,
  ask: (disk: Disk) => Promise<T>,
): Promise<readonly Answer<T>[]> {
  let failure: unknown;
  const answers = await Promise.all(
    disks.map(async (disk) => {
      try {
        return [{ disk, value: await ask(disk) }];
      } catch (error) {
        failure ??= toParsError(error, doing);
        return [];
      }
    }),
  );
  if (answers.flat().length === 0) {
    throw failure;
  }
  return answers.flat();
}

async function isSameName(
  name: string,
  a: Answer<Named | undefined>,
  b: Answer<Named | undefined>,
): Promise<boolean> {
  if (a.value?.kind === 'file' && b.value?.kind === 'file') {
    return encodeNameEntry(a.value.entry) === encodeNameEntry(b.value.entry);
  }
  if (a.value?.kind === b.value?.kind) {
    return true;
  }
  // An empty folder does not hold its name, and catching up does not make one.
  for (const { value, disk } of [a, b]) {
    if (value?.kind === 'file' || (value !== undefined && (await hasFiles(disk, name)))) {
      return false;
    }
  }
  return true;
}
