// A snapshot on its way into a spool: room is made, its files are gathered in a folder beside the entries, and the folder
// is renamed among them once all of it is on the disk.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from '../host/disk-error.js';
import { syncPath } from '../host/durable-file.js';
import { allocatedBytes } from './allocated-bytes.js';
import { type Captured, writeCaptured } from './captured.js';
import { listEntries } from './entries.js';
import { entryName, partFolderName } from './layout.js';
import { type DroppedEntry, makeRoom, reservationFile } from './make-room.js';
import { readSent } from './sent-journal.js';
import type { Spool } from './spool.js';

export interface NewEntry {
  readonly vm: string;
  readonly identity: string;
  /** What its files are going to take; 0 where nobody knows. */
  readonly expectedBytes: number;
  /** Puts the files into the folder, and says which they are. */
  readonly fill: (folder: string) => Promise<Captured>;
  /**
   * Called with the folder of one that failed, before it is removed. False: it has to stay, and `cleanLeftovers` tries
   * again.
   */
  readonly letGo?: (folder: string) => Promise<boolean>;
  readonly onDropped: (dropped: readonly DroppedEntry[]) => Promise<void>;
}

/**
 * The entry's name. The caller has the VM's capture lock. Throws `no-space` when there is no room, and what `fill` throws;
 * nothing is left behind then, but for a folder that has to stay.
 */
export async function addEntry(spool: Spool, entry: NewEntry): Promise<string> {
  const { paths } = spool;
  const name = entryName(entry.vm, entry.identity);
  const partName = partFolderName(name);
  const folder = join(paths.incoming, partName);
  // With the lock in hand, what lies there is of a process that died.
  await rm(folder, { recursive: true, force: true });
  try {
    await roomFor(spool, entry, entry.expectedBytes, async () => {
      await mkdir(folder, { mode: 0o700 });
      await writeFile(join(folder, reservationFile), `${entry.expectedBytes}`);
    });
    const captured = await entry.fill(folder);
    const sizeBytes = await allocatedBytes(folder);
    if (sizeBytes > entry.expectedBytes) {
      await roomFor(
        spool,
        entry,
        sizeBytes,
        () => writeFile(join(folder, reservationFile), `${sizeBytes}`),
        partName,
      );
    }
    await syncAll(folder);
    await writeCaptured(folder, {
      ...captured,
      createdMs: await momentOfItsOwn(spool, captured),
    });
    await rm(join(folder, reservationFile));
    await rename(folder, join(paths.entries, name));
    await syncPath(paths.entries);
    return name;
  } catch (error) {
    if ((await entry.letGo?.(folder)) !== false) {
      await rm(folder, { recursive: true, force: true });
    }
    throw error instanceof ParsError
      ? error
      : diskError(error, `cannot put a snapshot of ${entry.vm} into the spool ${paths.root}`);
  }
}

async function roomFor(
  spool: Spool,
  { vm, onDropped }: NewEntry,
  neededBytes: number,
  reserve: () => Promise<void>,
  without?: string,
): Promise<void> {
  const { dropped, fits } = await makeRoom(spool, neededBytes, reserve, without);
  await onDropped(dropped);
  if (!fits) {
    throw new ParsError(
      'no-space',
      `the spool ${spool.paths.root} has no room for a snapshot of ${vm} of ${neededBytes} bytes: spool.maxSize is ` +
        `${spool.limits.maxSizeBytes ?? 0} bytes, and the newest snapshot of each VM is never dropped. ` +
        'See what waits with `pars hook list`, and why it is not sent',
    );
  }
}

/**
 * No two snapshots of a VM have the same moment, to the millisecond: by it a snapshot is known again in the store when
 * nobody could say how sending it ended.
 */
async function momentOfItsOwn(spool: Spool, { vm, createdMs }: Captured): Promise<number> {
  const { entries } = await listEntries(spool);
  const taken = new Set(
    [...entries, ...(await readSent(spool))]
      .filter((other) => other.vm === vm)
      .map((other) => other.createdMs),
  );
  let ownMs = Math.trunc(createdMs);
  while (taken.has(ownMs)) {
    ownMs++;
  }
  return ownMs;
}

async function syncAll(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) {
      await syncAll(child);
    } else if (entry.isFile()) {
      await syncPath(child);
    }
  }
  await syncPath(path);
}
