// Deleting snapshots, and the files that no other one names. A manifest goes before its files, so that whatever ends the
// work between leaves files without a snapshot (find-leftovers.ts), never a snapshot without its files.
import { ParsError } from '../../introspect/pars-error.js';
import type { ManifestHeader } from '../manifest/types.js';
import type { Store } from '../store/store.js';
import { type ListedSnapshot, listSnapshots, loadManifest, type SnapshotList } from './catalog.js';
import { manifestName, packFolder, packsFolder } from './names.js';

/** Names of the files removed with the manifest. */
export interface Deletion {
  readonly removed: readonly string[];
  /** Files that another snapshot names too. */
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
  return await removeSnapshot(store, id, files, namersOf(list.snapshots));
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
  const namers = namersOf(list.snapshots);
  return (header) => removeSnapshot(store, header.id, filesOf(header), namers);
}

export async function removeEmptyFolder(store: Store, folder: string): Promise<void> {
  if ((await store.list(folder)).length === 0) {
    await store.remove(folder);
  }
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
        `${id ?? 'those to be deleted'} (${obstacle.error.message})`,
      { cause: obstacle.error },
    );
  }
}

/** Strikes the snapshot off `namers` once its manifest is gone, and not before. */
async function removeSnapshot(
  store: Store,
  id: string,
  files: readonly string[],
  namers: ReadonlyMap<string, Set<string>>,
): Promise<Deletion> {
  await store.remove(manifestName(id));
  for (const name of files) {
    namers.get(name)?.delete(id);
  }
  const isNamed = (name: string): boolean => (namers.get(name)?.size ?? 0) > 0;
  const removed = files.filter((name) => !isNamed(name));
  for (const name of removed) {
    await store.remove(name);
  }
  const folders = new Set(removed.map((name) => name.slice(0, name.lastIndexOf('/'))));
  for (const folder of folders) {
    if (folder.startsWith(`${packsFolder}/`)) {
      await removeEmptyFolder(store, folder);
    }
  }
  return { removed, kept: files.filter(isNamed) };
}

async function filesToDelete(store: Store, id: string): Promise<readonly string[]> {
  try {
    return filesOf((await loadManifest(store, id)).header);
  } catch (error) {
    if (error instanceof ParsError && error.code === 'corrupt') {
      return (await store.list(packFolder(id))).map(({ name }) => name);
    }
    throw error;
  }
}

function filesOf(header: ManifestHeader): readonly string[] {
  return [...header.packs, ...header.attachments].map(({ name }) => name);
}
