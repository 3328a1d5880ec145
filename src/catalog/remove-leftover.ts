// Removes one leftover, so that it can hurt an upload that is alive after all no more than by making it fail.
//
// The manifest on its way goes first: from then on the upload cannot publish without writing it anew, and after that it
// looks for every one of its packs. So no snapshot becomes visible whose files went here.
import type { Store } from '../store/store.js';
import { removeEmptyFolder } from './delete-snapshots.js';
import type { Leftover } from './find-leftovers.js';
import { manifestName, packFolder, partName } from './names.js';

/** False when it has changed since it was found: then what is left of it stays. */
export async function removeLeftover(store: Store, leftover: Leftover): Promise<boolean> {
  const { id, parts, files } = leftover;
  if (!(await isUnchanged(store, leftover))) {
    return false;
  }
  for (const { name } of parts) {
    await store.remove(name);
  }
  if (!(await isUnchanged(store, leftover))) {
    return false;
  }
  for (const { name } of files) {
    await store.remove(name);
  }
  await removeEmptyFolder(store, packFolder(id));
  return true;
}

async function isUnchanged(store: Store, { id, parts, modifiedMs }: Leftover): Promise<boolean> {
  if ((await store.stat(manifestName(id))) !== undefined) {
    return false;
  }
  const part = await store.stat(partName(id));
  const isKnownPart = part === undefined || parts.some(({ name }) => name === part.name);
  const children = await store.list(packFolder(id));
  return isKnownPart && children.every((file) => file.modifiedMs <= modifiedMs);
}
