// What processes that died have left in a spool: folders on their way in whose lock is free, those on their way out, and
// the locks of entries that are gone.
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../host/disk-error.js';
import { isThere } from './is-absent.js';
import { entryOfPart, type SpoolPaths, vmPartOfEntry } from './layout.js';
import { entryOfLock, lockFolder, tryLock } from './lock.js';
import type { Spool } from './spool.js';

export interface LeftoverReport {
  /** Half snapshots that were removed. */
  readonly removed: readonly string[];
  /** What is not of the spool, and stays. */
  readonly strange: readonly string[];
  /** Folders whose capture could not be ended; they stay until the next time. */
  readonly kept: readonly { readonly folder: string; readonly error: unknown }[];
}

/** `cleanUpCapture` ends what a capture into the folder has left outside it. */
export async function cleanLeftovers(
  { paths }: Spool,
  cleanUpCapture: (folder: string) => Promise<void>,
): Promise<LeftoverReport> {
  const removed: string[] = [];
  const strange: string[] = [];
  const kept: { folder: string; error: unknown }[] = [];
  for (const name of await readdir(paths.incoming)) {
    const folder = join(paths.incoming, name);
    const vmPart = vmPartOfEntry(entryOfPart(name) ?? '');
    if (vmPart === undefined) {
      strange.push(folder);
      continue;
    }
    const lock = await tryLock(paths.root, 'capture', vmPart);
    if (lock === undefined) {
      continue;
    }
    try {
      // Its process may have come to the end since the folder was listed.
      if (!(await isThere(folder))) {
        continue;
      }
      await cleanUpCapture(folder);
      await rm(folder, { recursive: true, force: true });
      removed.push(folder);
    } catch (error) {
      kept.push({ folder, error });
    } finally {
      await lock.release();
    }
  }
  for (const name of await readdir(paths.leaving)) {
    const folder = join(paths.leaving, name);
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      throw diskError(error, `cannot remove ${folder}`);
    });
  }
  await removeLocks(paths);
  return { removed, strange, kept };
}

/**
 * Removes the locks of entries that are gone. Nobody else has them while they are removed, so nobody holds one that has no
 * name.
 */
async function removeLocks({ root, entries }: SpoolPaths): Promise<void> {
  const folder = join(root, lockFolder);
  for (const name of await readdir(folder)) {
    const entry = entryOfLock(name);
    if (entry !== undefined && !existsSync(join(entries, entry))) {
      const lock = await tryLock(root, 'entry', entry);
      if (lock !== undefined) {
        await rm(join(folder, name), { force: true });
        await lock.release();
      }
    }
  }
}
