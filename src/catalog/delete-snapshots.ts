// Deleting snapshots, and the files that no other one names. A manifest goes before its files, so that whatever ends the
// work between leaves files without a snapshot (find-leftovers.ts), never a snapshot without its files.
import { ParsError } from '../../introspect/pars-error.js';
import type { ManifestHeader } from '../manifest/types.js';
import type { Store } from '../store/store.js';
import { type ListedSnapshot, listSnapshots, loadHeader, type SnapshotList } from './catalog.js';
import { claimsOf } from './claim.js';
import { idOfSharedFile, manifestName, packFolder } from './names.js';
import { removeOwnFile, removePackFolderIfEmpty } from './remove-own.js';

/** Names of the files removed with the manifest. */
export interface Deletion {
  readonly removed: readonly string[];
  /** Files that another snapshot names too, or that are of an upload under way. */
  readonly kept: readonly string[];
}

/**
 * Deletes a snapshot: its manifest first, then the files that no other manifest names. Of a snapshot whose own manifest
 * is damaged, the files are those that it wrote. Throws, with nothing removed, when another manifest cannot be read: it
 * might name any of them.
 */
export async function deleteSnapshot(store: Store, id: string): Promise<Deletion> {
  const files = await filesToDelete(store, id);
  const list = await listSnapshots(store);
  checkOthersReadable(list, id);
  return await removeSnapshot(store, id, files, listedOf(list));
}

/**
 * For deleting several of the snapshots just listed: gives what deletes one of them as `deleteSnapshot` does, but with
 * this one listing for all. What a snapshot shares with another goes with the last of them. Throws when any manifest
 * cannot be read.
 */
export function prepareDeletions(
  store: Store,
  list: SnapshotList,
): (header: ManifestHeader) => Promise<Deletion> {
  checkOthersReadable(list);
  const listed = listedOf(list);
  return (header) => removeSnapshot(store, header.id, filesOf(header), listed);
}

/** What a listing says of who names what. */
interface Listed {
  readonly namers: ReadonlyMap<string, Set<string>>;
  readonly listedIds: ReadonlySet<string>;
}

function listedOf({ snapshots }: SnapshotList): Listed {
  return {
    namers: namersOf(snapshots),
    listedIds: new Set(snapshots.map(({ header }) => header.id)),
  };
}

/** For each file, the ids of the snapshots that name it. */
export function namersOf(snapshots: readonly ListedSnapshot[]): ReadonlyMap<string, Set<string>> {
  const namers = new Map<string, Set<string>>();
  for (const { header } of snapshots) {
    for (const name of filesOf(header)) {
      const ids = namers.get(name) ?? new Set<string>();
      namers.set(name, ids.add(header.id));
    }
  }
  return namers;
}

function checkOthersReadable({ unreadable }: SnapshotList, id?: string): void {
  const obstacle = unreadable.find((entry) => entry.id !== id);
  if (obstacle !== undefined) {
    throw new ParsError(
      obstacle.error.code,
      `nothing was deleted: snapshot ${obstacle.id} cannot be read and may share files with ` +
        `${id ?? 'those to be deleted'} (${obstacle.error.message})` +
        (obstacle.error.code === 'corrupt'
          ? `; if it is worth nothing any more, \`pars delete ${obstacle.id}\` comes first`
          : ''),
      { cause: obstacle.error },
    );
  }
}

/** Strikes the snapshot off `namers` once its manifest is gone, and not before. */
async function removeSnapshot(
  store: Store,
  id: string,
  files: readonly string[],
  { namers, listedIds }: Listed,
): Promise<Deletion> {
  await removeOwnFile(store, manifestName(id));
  for (const name of files) {
    namers.get(name)?.delete(id);
  }
  const kept: string[] = [];
  const removed: string[] = [];
  const spared = new Map<string, boolean>();
  const isSpared = async (writer: string): Promise<boolean> => {
    const isKnown = spared.get(writer) ?? (await isUnknownUpload(store, writer, id, listedIds));
    spared.set(writer, isKnown);
    return isKnown;
  };
  for (const name of files) {
    const isNamed = (namers.get(name)?.size ?? 0) > 0;
    (isNamed || (await isSpared(idOfSharedFile(name) ?? id)) ? kept : removed).push(name);
  }
  for (const name of removed) {
    await removeOwnFile(store, name);
  }
  for (const folder of new Set(removed.map((name) => name.slice(0, name.lastIndexOf('/'))))) {
    await removePackFolderIfEmpty(store, folder.slice(folder.lastIndexOf('/') + 1));
  }
  return { removed, kept };
}

/**
 * Whether packs below that id may be of an upload that was not listed: one under way, or published since. A manifest that
 * names those must not take them along. The claim is asked for first, since it goes after the manifest has come.
 */
async function isUnknownUpload(
  store: Store,
  writer: string,
  id: string,
  listedIds: ReadonlySet<string>,
): Promise<boolean> {
  if (writer === id || listedIds.has(writer)) {
    return false;
  }
  return (
    (await claimsOf(store, writer)).length > 0 ||
    (await store.stat(manifestName(writer))) !== undefined
  );
}

async function filesToDelete(store: Store, id: string): Promise<readonly string[]> {
  try {
    return filesOf(await loadHeader(store, id));
  } catch (error) {
    if (error instanceof ParsError && error.code === 'corrupt') {
      const inFolder = await store.list(packFolder(id));
      return inFolder.flatMap(({ kind, name }) => (kind === 'file' ? [name] : []));
    }
    throw error;
  }
}

function filesOf({ packs, bodies, pageHashes, attachments }: ManifestHeader): readonly string[] {
  return [...packs, ...bodies, ...pageHashes, ...attachments].map(({ name }) => name);
}
