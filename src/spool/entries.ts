// The snapshots that wait in a spool.
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from '../host/disk-error.js';
import { syncPath } from '../host/durable-file.js';
import { allocatedBytes } from './allocated-bytes.js';
import { type Attempts, readAttempts } from './attempts.js';
import { olderFirst } from './bounds.js';
import { type Captured, readCaptured, vmGroup } from './captured.js';
import { isThere } from './is-absent.js';
import { vmPartOfEntry, vmPathPart } from './layout.js';
import type { Spool } from './spool.js';

export interface SpoolEntry {
  readonly name: string;
  readonly folder: string;
  readonly vm: string;
  /** What stands for the VM (`vmGroup`): two VMs may have one name. */
  readonly group: string;
  readonly createdMs: number;
  readonly captured: Captured;
  readonly attempts: Attempts;
  readonly sizeBytes: number;
}

export interface SpoolListing {
  /** Oldest first. */
  readonly entries: readonly SpoolEntry[];
  /** Folders that nobody can send. They stay, as somebody may be able to save them. */
  readonly unreadable: readonly { readonly name: string; readonly error: ParsError }[];
}

export async function listEntries({ paths }: Spool): Promise<SpoolListing> {
  const entries: SpoolEntry[] = [];
  const unreadable: { name: string; error: ParsError }[] = [];
  for (const name of await readdir(paths.entries)) {
    const folder = join(paths.entries, name);
    try {
      const captured = await readCaptured(folder);
      if (vmPartOfEntry(name) !== vmPathPart(captured.vm)) {
        throw new ParsError(
          'image-invalid',
          `${folder} holds a snapshot of ${captured.vm}, which its name does not say`,
        );
      }
      entries.push({
        name,
        folder,
        vm: captured.vm,
        group: vmGroup(captured),
        createdMs: captured.createdMs,
        captured,
        attempts: await readAttempts(folder),
        sizeBytes: await allocatedBytes(folder),
      });
    } catch (error) {
      // Sent by another process since the folder was listed.
      if (await isThere(folder)) {
        unreadable.push({
          name,
          error: error instanceof ParsError ? error : diskError(error, `cannot read ${folder}`),
        });
      }
    }
  }
  return { entries: entries.toSorted(olderFirst), unreadable };
}

/** Out of the spool in one step, then off the disk; what a crash leaves of it is removed at the next clean-up. */
export async function removeEntry({ paths }: Spool, name: string): Promise<void> {
  const leaving = join(paths.leaving, name);
  try {
    await rm(leaving, { recursive: true, force: true });
    await rename(join(paths.entries, name), leaving);
    await syncPath(paths.entries);
    await rm(leaving, { recursive: true, force: true });
  } catch (error) {
    throw diskError(error, `cannot remove ${name} from the spool ${paths.root}`);
  }
}
