// What processes that died have left in a spool: folders on their way in whose lock is free, and those on their way out.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../flow/disk-error.js';
import { allocatedBytes } from './allocated-bytes.js';
import { entryOfPart, vmOfEntry } from './layout.js';
import { tryLock } from './lock.js';
import type { Spool } from './spool.js';

export interface LeftoverReport {
  /** Half snapshots that were removed. */
  readonly removed: readonly string[];
  /** What is not of the spool, and stays. */
  readonly strange: readonly string[];
  /** Those whose capture could not be ended; they stay until the next time. */
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
    const vm = vmOfEntry(entryOfPart(name) ?? '');
    if (vm === undefined) {
      strange.push(folder);
      continue;
    }
    const lock = await tryLock(paths.root, 'capture', vm);
    if (lock === undefined) {
      continue;
    }
    try {
      // Its process may have come to the end since the folder was listed.
      if ((await allocatedBytes(folder)) === 0) {
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
  return { removed, strange, kept };
}
