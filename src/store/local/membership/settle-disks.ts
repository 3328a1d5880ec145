// What a person decides about local disks: `pars disks` shows what each says and how they differ, `--trust` names the one
// whose names count from now on, and `--bring-back` gives names back that were set aside.

import path from 'node:path';
import { ParsError } from '../../../../introspect/pars-error.js';
import { claimsFolder } from '../../store.js';
import type { Disk } from '../disks/disk.js';
import { writeMarker } from '../disks/disk.js';
import { noDiskError } from '../disks/no-disk.js';
import { isClaim } from '../names/claims.js';
import { compareNames, type NameDifference } from '../names/compare-names.js';
import { childNames, hasFiles, lookUp, publish, walkNames } from '../names/name-tree.js';
import { dropSetAside, setAllAside, walkSetAside } from '../names/set-aside.js';
import { translated } from '../node-error.js';
import { parseLocalUrl } from '../url.js';
import { makeNamesEqual } from './catch-up.js';
import { changeNames } from './change-names.js';
import {
  findDisks,
  type FoundDisks,
  judgedDisks,
  judgeDisks,
  readMembership,
} from './membership.js';

export interface DiskState {
  readonly folder: string;
  /** `behind`: it is there and not up to date. `damaged`: its marker cannot be believed. */
  readonly state: 'current' | 'behind' | 'in-doubt' | 'damaged' | 'away';
  readonly diskNumber: number | undefined;
  readonly epoch: number | undefined;
  /** Undefined where they cannot be counted. */
  readonly nameCount: number | undefined;
  readonly setAsideCount: number | undefined;
}

export interface DisksReport {
  readonly disks: readonly DiskState[];
  /** Why the store cannot be opened as it is. */
  readonly doubt: ParsError | undefined;
}

/** Reads only. Throws `usage` for the URL of another store. */
export async function inspectDisks(url: string): Promise<DisksReport> {
  const localUrl = parseLocalUrl(url);
  const { diskFolders } = localUrl;
  const { disks, damaged } = await findDisks(diskFolders);
  let doubt: ParsError | undefined = damaged.at(0)?.error;
  let current: readonly Disk[] = [];
  if (disks.length === 0) {
    doubt ??= noDiskError(localUrl);
  } else {
    try {
      ({ current } = judgeDisks(disks));
      doubt ??= await translated('comparing names', () => namesDoubt(current, disks));
    } catch (error) {
      if (!(error instanceof ParsError)) {
        throw error;
      }
      doubt ??= error;
    }
  }
  const states = diskFolders.map(async (folder): Promise<DiskState> => {
    const disk = disks.find((each) => each.folder === folder);
    const isDamaged = damaged.some((each) => each.folder === folder);
    const stateOfKnown = current.length === 0 ? 'in-doubt' : 'behind';
    return {
      folder,
      state:
        disk === undefined
          ? isDamaged
            ? 'damaged'
            : 'away'
          : current.includes(disk)
            ? 'current'
            : stateOfKnown,
      diskNumber: disk?.marker.diskNumber,
      epoch: disk?.marker.epoch,
      nameCount: disk && (await countOrNothing(walkNames(disk))),
      setAsideCount: disk && (await countOrNothing(walkSetAside(disk))),
    };
  });
  return { disks: await Promise.all(states), doubt };
}

export interface Settlement {
  /** Names moved to `set-aside/` of their disk. */
  readonly setAside: readonly { readonly folder: string; readonly name: string }[];
  /** Names that the trusted disk did not have and has now. */
  readonly takenOver: readonly string[];
}

/**
 * Makes the names of the disk at `folder` those of the store, on all disks that are there. What others have more is set
 * aside, or with `keepsAll` taken over where the name is free. Nothing else may use the store meanwhile. Throws `usage`
 * when the folder is no disk of the store, when disks of two stores are there, or a disk and its copy, and `unavailable`
 * when somebody claims on the trusted disk to be at work. A claim on another disk alone is dropped, and whoever had it
 * notices before he publishes.
 */
export async function settleDisks(
  url: string,
  folder: string,
  { keepsAll = false }: { readonly keepsAll?: boolean } = {},
): Promise<Settlement> {
  const localUrl = parseLocalUrl(url);
  const { diskFolders } = localUrl;
  const found = await findDisks(diskFolders);
  const trusted = found.disks.find((disk) => disk.folder === path.resolve(folder));
  if (found.disks.length === 0) {
    throw found.damaged.at(0)?.error ?? noDiskError(localUrl);
  }
  if (trusted === undefined) {
    throw new ParsError(
      'usage',
      `${folder}: expected one of the store's disks that is there with a whole marker: ` +
        found.disks.map((disk) => disk.folder).join(', '),
    );
  }
  const disks = [...found.disks, ...renumbered(found, trusted)];
  checkSettleable(disks);
  return await translated('settling the disks', async () => {
    await expectNobodyAtWork(trusted);
    const others = disks.filter((disk) => disk !== trusted);
    const setAside: { folder: string; name: string }[] = [];
    for (const disk of others) {
      if (await hasDamagedNames(disk)) {
        await setAllAside(disk);
        setAside.push({ folder: disk.folder, name: 'all names, as some are damaged' });
      }
    }
    const takenOver = keepsAll ? await takeOver(trusted, others) : [];
    for (const disk of others) {
      const { gone, unproven, missing } = await compareNames([trusted], disk);
      const difference: NameDifference = {
        disk,
        gone: [...gone, ...unproven],
        unproven: [],
        missing,
      };
      setAside.push(...(await makeNamesEqual(trusted, difference)));
    }
    await writeAgreedMarkers(trusted, disks);
    return { setAside, takenOver };
  });
}

/** Gives back what was set aside where its name is free. Returns the names, and those that are taken. */
export async function bringBack(
  url: string,
): Promise<{ readonly broughtBack: readonly string[]; readonly taken: readonly string[] }> {
  const localUrl = parseLocalUrl(url);
  const { members, failure } = await judgedDisks(localUrl.diskFolders);
  if (members === undefined) {
    throw failure ?? noDiskError(localUrl);
  }
  const [deciding] = members.current;
  const { storeId } = deciding.marker;
  const broughtBack: string[] = [];
  const taken: string[] = [];
  for (const disk of members.present) {
    for await (const walked of walkSetAside(disk)) {
      const { name, entry } = walked;
      if (isClaim(name)) {
        await dropSetAside(disk, walked);
        continue;
      }
      const now = await lookUp(deciding, name);
      const isSame = now?.kind === 'file' && now.entry.copyId === entry.copyId;
      if (!isSame && (await hasFiles(deciding, name))) {
        taken.push(name);
        continue;
      }
      if (!isSame) {
        await translated(`bringing back ${name}`, () =>
          changeNames(
            () => readMembership(localUrl.diskFolders, storeId),
            (each) => publish(each, name, entry),
          ),
        );
        broughtBack.push(name);
      }
      await dropSetAside(disk, walked);
    }
  }
  return { broughtBack, taken };
}

/** A disk whose marker is damaged is the one that is missing, if just one is. */
function renumbered({ disks, damaged }: FoundDisks, trusted: Disk): readonly Disk[] {
  if (damaged.length === 0) {
    return [];
  }
  const numbers = new Set(disks.map(({ marker }) => marker.diskNumber));
  const { maxDiskNumber } = trusted.marker;
  const missing = Array.from({ length: maxDiskNumber }, (_, index) => index + 1).filter(
    (diskNumber) => !numbers.has(diskNumber),
  );
  const [{ folder, error }] = damaged;
  if (damaged.length > 1 || missing.length !== 1 || error.code !== 'corrupt') {
    throw new ParsError(
      'usage',
      `${error.message}; which disk it was cannot be told, as the numbers ${missing.join(', ')} are free. ` +
        'Take the folder away, or, where nothing in it is needed, empty it and take it in with `pars init`',
    );
  }
  return [{ folder, marker: { ...trusted.marker, diskNumber: missing[0], epoch: 0 } }];
}

function checkSettleable(disks: readonly Disk[]): void {
  const [first] = disks;
  const byNumber = new Map<number, Disk>();
  for (const disk of disks) {
    const { diskNumber, storeId } = disk.marker;
    const twin = byNumber.get(diskNumber);
    if (storeId !== first.marker.storeId || twin !== undefined) {
      throw new ParsError(
        'usage',
        `${(twin ?? first).folder} and ${disk.folder} are ` +
          (twin === undefined ? 'disks of two stores' : `both disk ${diskNumber}`) +
          '; take one of them away first',
      );
    }
    byNumber.set(diskNumber, disk);
  }
}

async function expectNobodyAtWork(trusted: Disk): Promise<void> {
  const claims = await childNames(trusted, claimsFolder);
  if (claims.length === 0) {
    return;
  }
  throw new ParsError(
    'unavailable',
    `an upload or a prune claims to be at work in the store: ${path.join(trusted.folder, 'names', claimsFolder, claims[0])}; ` +
      'nothing was changed. Wait until it has ended. If it was killed, so that the name stays the same for a minute, remove ' +
      'that folder and try again',
  );
}

async function hasDamagedNames(disk: Disk): Promise<boolean> {
  try {
    await countOf(walkNames(disk));
    return false;
  } catch (error) {
    if (error instanceof ParsError) {
      return true;
    }
    throw error;
  }
}

async function takeOver(trusted: Disk, others: readonly Disk[]): Promise<readonly string[]> {
  const takenOver: string[] = [];
  for (const disk of others) {
    const { gone, unproven } = await compareNames([trusted], disk);
    for (const { name, entry } of [...gone, ...unproven]) {
      if (!isClaim(name) && (await lookUp(trusted, name)) === undefined) {
        await publish(trusted, name, entry);
        takenOver.push(name);
      }
    }
  }
  return takenOver;
}

/** The trusted disk's marker last: until then the disks are in doubt as before. */
async function writeAgreedMarkers(trusted: Disk, disks: readonly Disk[]): Promise<void> {
  const { maxDiskNumber, leftBehind, epoch: trustedEpoch } = trusted.marker;
  const numbers = disks.map(({ marker }) => marker.diskNumber);
  const highest = Math.max(maxDiskNumber, ...numbers);
  const epoch = Math.max(...disks.map(({ marker }) => marker.epoch)) + 1;
  const away = Array.from({ length: highest }, (_, index) => index + 1)
    .filter((diskNumber) => !numbers.includes(diskNumber))
    .map((diskNumber) => [String(diskNumber), leftBehind[diskNumber] ?? trustedEpoch] as const);
  const followers = Object.fromEntries(
    disks.map(({ marker }) => [String(marker.diskNumber), marker.epoch]),
  );
  for (const disk of [...disks.filter((each) => each !== trusted), trusted]) {
    await writeMarker(disk.folder, {
      ...disk.marker,
      maxDiskNumber: highest,
      epoch,
      leftBehind: Object.fromEntries(away),
      followers,
      hasChecksum: true,
    });
  }
}

/** What keeps an open from bringing the disks together. */
async function namesDoubt(
  current: readonly Disk[],
  disks: readonly Disk[],
): Promise<ParsError | undefined> {
  for (const disk of disks) {
    if (disk === current[0]) {
      continue;
    }
    const { unproven, gone, missing } = await compareNames(current, disk);
    const isCurrent = current.includes(disk);
    const different = (isCurrent ? [...unproven, ...gone, ...missing] : unproven).filter(
      // Whoever is at work renames them all the time.
      ({ name }) => !isClaim(name),
    );
    if (different.length > 0) {
      return new ParsError(
        'corrupt',
        `${current[0].folder} and ${disk.folder} differ in ${different.length} names, such as ${different[0].name}`,
      );
    }
  }
  return undefined;
}

async function countOrNothing(entries: AsyncGenerator): Promise<number | undefined> {
  try {
    return await countOf(entries);
  } catch {
    return undefined;
  }
}

async function countOf(entries: AsyncGenerator): Promise<number> {
  let count = 0;
  while ((await entries.next()).done !== true) {
    count++;
  }
  return count;
}
