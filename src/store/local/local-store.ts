// The embedded store: several disk folders, of which losing one means what losing a node means to HDFS.
//
// A file's bytes lie as copies on as many disks as its redundancy says (placement.ts); its name lies on every disk
// (name-tree.ts). So a file all of whose copies are on lost disks is still known and is `data-lost`, not `not-found`,
// as long as one disk is left. Order of a write: copies durable on their disks, then the name; of a removal: the name,
// then the copies. A crash between leaves bytes without a name, never a name without bytes.
//
// A rename changes names only and is one rename(2) on the deciding disk (change-names.ts). Readers believe that disk
// (agreed-names.ts), so they see the old name or the new one, never both and never none.

import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { ParsError } from '../../../introspect/pars-error.js';
import { checkNotAborted } from '../abort.js';
import type { StoreCapabilities } from '../capabilities.js';
import { checkAnswerMemory, checkRange } from '../check-range.js';
import { copiesToWrite } from '../check-write.js';
import type { ReadOptions } from '../read-options.js';
import type { Store, StoredFile } from '../store.js';
import { checkStoreFolder, checkStoreName } from '../store-name.js';
import { UnreachableCopies } from '../unreachable.js';
import { hasCopy, readCopy, removeCopy } from './copy.js';
import type { Disk } from './disks/disk.js';
import { agreedChildren, agreedName, type NameSource } from './membership/agreed-names.js';
import { catchUp } from './membership/catch-up.js';
import { changeNames } from './membership/change-names.js';
import type { Membership } from './membership/membership.js';
import { hasEveryDisk, readMembership } from './membership/membership.js';
import { type LocalStoreOptions, prepareDisks } from './membership/prepare-disks.js';
import { unreachableDisks } from './membership/unreachable-disks.js';
import { isClaim } from './names/claims.js';
import type { NameEntry } from './names/name-entry.js';
import type { Named } from './names/name-tree.js';
import {
  alreadyExists,
  forgetMove,
  forgetRemoved,
  move,
  notFound,
  publish,
  removeEmpty,
  takeAway,
  walkRemoved,
} from './names/name-tree.js';
import { toParsError, translated } from './node-error.js';
import { type LocalUrl, parseLocalUrl } from './url.js';
import { writeToFittingDisks } from './write-copies.js';

/** Look-ups of a list at a time, so that a large folder takes neither all file handles nor all threads. */
const listConcurrency = 16;

/**
 * Opens the store at `url` (forms: url.ts). Throws `usage` for another URL or for folders that are no disks of one
 * store; when no disk is there and none may be made, `unavailable` for mount points and `not-found` for a folder.
 */
export async function openLocalStore(url: string, options: LocalStoreOptions = {}): Promise<Store> {
  const localUrl = parseLocalUrl(url);
  const storeId = await prepareDisks(localUrl, options);
  await catchUp(() => readMembership(localUrl.diskFolders, storeId), options.removeOrphans);
  return new LocalStore(url, localUrl, storeId);
}

class LocalStore implements Store {
  readonly url: string;
  /** A copy is lost with its disk. */
  readonly copiesComeLater = false;
  readonly can: StoreCapabilities = {};
  readonly #localUrl: LocalUrl;
  readonly #storeId: string;
  /** The disks must see changes in one order, and a list must not see a rename half. */
  readonly #oneAtATime = pLimit(1);

  constructor(url: string, localUrl: LocalUrl, storeId: string) {
    this.url = url;
    this.#localUrl = localUrl;
    this.#storeId = storeId;
  }

  readonly write: Store['write'] = async (name, content, options) => {
    checkStoreName(name);
    const wanted = copiesToWrite(name, options);
    const doing = `writing ${name}`;
    checkNotAborted(options.signal, doing);
    const members = await this.#members();
    if ((await this.#named(members, name)) !== undefined) {
      throw alreadyExists(name);
    }

    const copyId = randomUUID().replaceAll('-', '');
    const { disks, sizeBytes } = await writeToFittingDisks(
      members.present,
      copyId,
      name,
      content,
      wanted,
    );
    const entry: NameEntry = {
      copyId,
      sizeBytes,
      modifiedMs: Date.now(),
      diskNumbers: disks.map((disk) => disk.marker.diskNumber),
    };
    try {
      await this.#change(doing, (disk) => publish(disk, name, entry));
    } catch (error) {
      await Promise.allSettled(disks.map((disk) => removeCopy(disk, copyId)));
      throw error;
    }
    return sizeBytes;
  };

  readonly read: Store['read'] = async (name, offsetBytes, sizeBytes, options) => {
    const { members, entry } = await this.#file(name, options);
    checkRange(name, offsetBytes, sizeBytes, entry.sizeBytes);
    const into = options?.into;
    checkAnswerMemory(name, sizeBytes, into);
    if (sizeBytes === 0) {
      return new Uint8Array();
    }

    const problems: ParsError[] = [];
    for (const disk of disksOf(members, entry)) {
      checkNotAborted(options?.signal, `reading ${name}`);
      try {
        const bytes = await readCopy(disk, entry, offsetBytes, sizeBytes, into);
        if (bytes !== undefined) {
          return bytes;
        }
      } catch (error) {
        const problem = toParsError(error, `reading ${name}`);
        if (!(problem instanceof ParsError)) {
          throw problem;
        }
        problems.push(problem);
      }
    }
    const unreachable = await unreachableDisks(this.#localUrl, members, entry.diskNumbers);
    throw noGoodCopy(name, entry, problems, unreachable);
  };

  readonly blocks: Store['blocks'] = async (name, options) => {
    const { members, entry } = await this.#file(name, options);
    if (entry.sizeBytes === 0) {
      return [];
    }
    const locations: string[] = [];
    const silent: string[] = [];
    for (const disk of disksOf(members, entry)) {
      try {
        if (await hasCopy(disk, entry.copyId, entry.sizeBytes)) {
          locations.push(disk.folder);
        }
      } catch (error) {
        if (!(error instanceof ParsError)) {
          throw error;
        }
        if (error.code !== 'data-lost') {
          silent.push(error.message);
        }
      }
    }
    const away = await unreachableDisks(this.#localUrl, members, entry.diskNumbers);
    const { sizeBytes } = entry;
    return [{ offsetBytes: 0, sizeBytes, locations, unreachable: [...silent, ...away] }];
  };

  readonly storedBytes: Store['storedBytes'] = async (name, options) => {
    const { entry } = await this.#file(name, options);
    return entry.sizeBytes * entry.diskNumbers.length;
  };

  readonly stat: Store['stat'] = async (name, options) => {
    checkStoreName(name);
    checkNotAborted(options?.signal, `looking up ${name}`);
    const named = await this.#named(await this.#members(), name);
    return named === undefined ? undefined : storedFile(name, named);
  };

  readonly list: Store['list'] = async (folder, options) => {
    checkStoreFolder(folder);
    const doing = `listing ${folder === '' ? 'the root' : folder}`;
    checkNotAborted(options?.signal, doing);
    return this.#oneAtATime(async () => {
      const members = await this.#members();
      const children = await agreedChildren(this.#source(members), folder);
      const limit = pLimit(listConcurrency);
      const files = await limit.map(children, async (child) => {
        checkNotAborted(options?.signal, doing);
        const name = folder === '' ? child : `${folder}/${child}`;
        const file = await this.#listed(members, name);
        return file === undefined ? [] : [file];
      });
      return files.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  };

  readonly rename: Store['rename'] = async (from, to, options) => {
    checkStoreName(from);
    checkStoreName(to);
    const doing = `renaming ${from} to ${to}`;
    checkNotAborted(options?.signal, doing);
    const moveId = randomUUID();
    await this.#change(
      doing,
      (disk) => move(disk, from, to, moveId),
      async (members, followers) => {
        if (!isClaim(from) && !hasEveryDisk(members, followers)) {
          return;
        }
        await Promise.allSettled(followers.map((disk) => forgetMove(disk, moveId)));
      },
    );
  };

  readonly remove: Store['remove'] = async (name, options) => {
    checkStoreName(name);
    const doing = `removing ${name}`;
    checkNotAborted(options?.signal, doing);
    try {
      if (options?.only === 'empty-folder') {
        await this.#removeEmptyFolder(doing, name);
      } else {
        await this.#removeAll(doing, name, options?.only);
      }
    } catch (error) {
      if (!(error instanceof ParsError && error.code === 'not-found')) {
        throw error;
      }
    }
  };

  /** Nothing is held open between calls. */
  readonly close: Store['close'] = () => {
    return Promise.resolve();
  };

  async #removeAll(doing: string, name: string, only: 'file' | undefined): Promise<void> {
    const removalId = randomUUID();
    await this.#change(
      doing,
      (disk) => takeAway(disk, name, removalId, only),
      async (members, followers) => {
        for await (const { entry } of walkRemoved(followers[0], removalId)) {
          const disks = disksOf(members, entry);
          // A disk that fails here keeps bytes without a name, which a later catch-up removes.
          await Promise.allSettled(disks.map((disk) => removeCopy(disk, entry.copyId)));
        }
        // A disk that is away may come back with the name: then this is the proof that it was removed.
        if (!isClaim(name) && !hasEveryDisk(members, followers)) {
          return;
        }
        await Promise.allSettled(followers.map((disk) => forgetRemoved(disk, removalId)));
      },
    );
  }

  async #removeEmptyFolder(doing: string, name: string): Promise<void> {
    let isDecided = false;
    await this.#change(doing, async (disk) => {
      try {
        await removeEmpty(disk, name);
      } catch (error) {
        // The first disk decides; on the others somebody may put something into it meanwhile.
        if (!isDecided || !(error instanceof ParsError)) {
          throw error;
        }
      }
      isDecided = true;
    });
  }

  #source(members: Membership): NameSource {
    return { members, reread: () => this.#members() };
  }

  #named(members: Membership, name: string): Promise<Named | undefined> {
    return agreedName(this.#source(members), name);
  }

  /** An entry that no disk can say in a form known here must not hide those beside it. */
  async #listed(members: Membership, name: string): Promise<StoredFile | undefined> {
    try {
      const named = await this.#named(members, name);
      return named === undefined ? undefined : storedFile(name, named);
    } catch (error) {
      if (!(error instanceof ParsError && error.code === 'unsupported')) {
        throw error;
      }
      return { name, kind: 'file', sizeBytes: 0, modifiedMs: 0, problem: error.message };
    }
  }

  #members(): Promise<Membership> {
    return readMembership(this.#localUrl.diskFolders, this.#storeId);
  }

  async #change(
    doing: string,
    change: (disk: Disk) => Promise<void>,
    afterwards?: (members: Membership, followers: readonly Disk[]) => Promise<void>,
  ): Promise<void> {
    await translated(doing, () =>
      this.#oneAtATime(() => changeNames(() => this.#members(), change, afterwards)),
    );
  }

  async #file(
    name: string,
    options?: ReadOptions,
  ): Promise<{ readonly members: Membership; readonly entry: NameEntry }> {
    checkStoreName(name);
    checkNotAborted(options?.signal, `reading ${name}`);
    const members = await this.#members();
    const named = await this.#named(members, name);
    if (named === undefined) {
      throw notFound(name);
    }
    if (named.kind === 'folder') {
      throw new ParsError('not-found', `${name}: expected a file, found a folder`);
    }
    return { members, entry: named.entry };
  }
}

/** Disks that were given a copy and are there, in the order of placement. */
function disksOf(members: Membership, entry: NameEntry): readonly Disk[] {
  return entry.diskNumbers.flatMap((diskNumber) =>
    members.present.filter((disk) => disk.marker.diskNumber === diskNumber),
  );
}

function storedFile(name: string, named: Named): StoredFile {
  if (named.kind === 'folder') {
    return { name, kind: 'folder', sizeBytes: 0, modifiedMs: named.modifiedMs };
  }
  const { sizeBytes, modifiedMs } = named.entry;
  return { name, kind: 'file', sizeBytes, modifiedMs };
}

/**
 * Wrong bytes outweigh a refusal, and a refusal outweighs absence: the caller can do something about each of them. A disk
 * that is not there may have what the others lack, so they all give way to it.
 */
function noGoodCopy(
  name: string,
  entry: NameEntry,
  problems: readonly ParsError[],
  unreachable: readonly string[],
): ParsError {
  const worst =
    problems.find((problem) => problem.code === 'corrupt') ??
    problems.find((problem) => problem.code !== 'data-lost');
  const details = problems.map((problem) => problem.message).join('; ');
  const message = `${name}: none of the copies on disks ${entry.diskNumbers.join(', ')} can be read`;
  const cause = worst ?? problems[0];
  const failing = problems.filter((problem) => problem instanceof UnreachableCopies);
  if (unreachable.length > 0 || failing.length > 0) {
    return new UnreachableCopies(
      `${message}${details === '' ? '' : `: ${details}`}` +
        (unreachable.length === 0
          ? ''
          : `; not there: ${unreachable.join(', ')}. Mount what is missing and try again`),
      { cause },
    );
  }
  return new ParsError(
    worst?.code ?? 'data-lost',
    message + (details === '' ? '; all of these disks or copies are gone' : `: ${details}`),
    { cause },
  );
}
