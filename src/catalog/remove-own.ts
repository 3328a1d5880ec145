// The only way in which the catalog removes anything: a file that snapshots and uploads make, at the very place where they
// make it, and never what lies below a folder. Whatever a manifest or a listing says, nothing else can go.
import { ParsError } from '../../introspect/pars-error.js';
import type { Store } from '../store/store.js';
import { isOwnFile, packFolder } from './names.js';

/** Not an error when it is gone. Throws `corrupt` for any other name, with nothing removed. */
export async function removeOwnFile(store: Store, name: string): Promise<void> {
  if (!isOwnFile(name)) {
    throw new ParsError(
      'corrupt',
      `${JSON.stringify(name)} is no file of a snapshot, so it was not removed`,
    );
  }
  await store.remove(name, { only: 'file' });
}

/** Removes the files that an upload wrote beside its manifest, whatever they are called. */
export async function removeFilesOf(store: Store, id: string): Promise<void> {
  // A second time for what a store makes a moment after its writer was stopped.
  for (let round = 0; round < 2; round++) {
    for (const { kind, name } of await store.list(packFolder(id))) {
      if (kind === 'file') {
        await removeOwnFile(store, name);
      }
    }
    if (await removePackFolderIfEmpty(store, id)) {
      return;
    }
  }
}

/** Removes `files` of a leftover and nothing else, and the snapshot's folder once it is empty. */
export async function removeFilesOfLeftover(
  store: Store,
  id: string,
  files: readonly { readonly name: string }[],
): Promise<void> {
  for (const { name } of files) {
    await removeOwnFile(store, name);
  }
  await removePackFolderIfEmpty(store, id);
}

/** False when there is something in it, and it stays. */
export async function removePackFolderIfEmpty(store: Store, id: string): Promise<boolean> {
  try {
    await store.remove(packFolder(id), { only: 'empty-folder' });
    return true;
  } catch (error) {
    if (error instanceof ParsError && error.code === 'already-exists') {
      return false;
    }
    throw error;
  }
}
