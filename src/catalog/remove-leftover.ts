// Removes one leftover, so that it can hurt an upload that is alive after all no more than by making it fail.
//
// Its claim is taken first, which an upload notices before it publishes; then goes the manifest on its way, without which
// it cannot publish. So no snapshot becomes visible whose files went here. Uploads of before there were claims are held off
// by the second step alone: written anew, their manifest looks for every one of its packs.
import type { Store } from '../store/store.js';
import { claimsOf, takeClaim } from './claim.js';
import type { Leftover } from './find-leftovers.js';
import { manifestName, packFolder, partName, takenClaimName } from './names.js';
import { removeFilesOfLeftover, removeOwnFile } from './remove-own.js';

/** False when it has changed since it was found: then what is left of it stays. */
export async function removeLeftover(store: Store, leftover: Leftover): Promise<boolean> {
  const { id, parts, files, claims } = leftover;
  if (!(await isUnchanged(store, leftover))) {
    return false;
  }
  if (!leftover.isPublished) {
    const seen = claims.find(({ name }) => isWholeClaim(name));
    if (seen !== undefined && !(await takeClaim(store, seen.name, id))) {
      return false;
    }
    for (const { name } of parts) {
      await removeOwnFile(store, name);
    }
    const taken = claims.map(({ name }) => (name === seen?.name ? takenClaimName(id) : name));
    if (!(await isUnchanged(store, leftover, taken))) {
      return false;
    }
    await removeFilesOfLeftover(store, id, files);
    await removeOwnFile(store, takenClaimName(id));
  } else {
    // What was on its way once more when the snapshot was complete already.
    for (const { name } of files) {
      await removeOwnFile(store, name);
    }
  }
  for (const { name } of claims) {
    await removeOwnFile(store, name);
  }
  return true;
}

/** `claimNames`: what the claims are called by now. */
export async function isUnchanged(
  store: Store,
  { id, parts, claims, modifiedMs, isPublished }: Leftover,
  claimNames: readonly string[] = claims.map(({ name }) => name),
): Promise<boolean> {
  const claimed = await claimsOf(store, id);
  if (claimed.length < claimNames.length || claimed.some((name) => !claimNames.includes(name))) {
    return false;
  }
  if (isPublished) {
    return true;
  }
  if ((await store.stat(manifestName(id))) !== undefined) {
    return false;
  }
  const part = await store.stat(partName(id));
  const isKnownPart = part === undefined || parts.some(({ name }) => name === part.name);
  const children = await store.list(packFolder(id));
  return isKnownPart && children.every((file) => file.modifiedMs <= modifiedMs);
}

/** Not one that HDFS has under another name while it is written. */
function isWholeClaim(name: string): boolean {
  return /\.(?:[0-9]+|taken)$/.test(name);
}
