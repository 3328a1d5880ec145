// Applies the limits of a spool (bounds.ts): drops what they say, and records it before it is gone.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendLine } from '../host/durable-file.js';
import { allocatedBytes } from './allocated-bytes.js';
import { type BoundsPlan, type DropReason, planBounds } from './bounds.js';
import { listEntries, removeEntry, type SpoolEntry } from './entries.js';
import { type Lock, tryLock, withSpoolLock } from './lock.js';
import type { Spool } from './spool.js';

export interface DroppedEntry {
  readonly entry: SpoolEntry;
  readonly reason: DropReason;
}

export interface Room {
  readonly dropped: readonly DroppedEntry[];
  readonly fits: boolean;
}

/** In a folder on its way in: how much it is going to be, so that two on their way do not take the same room. */
export const reservationFile = 'reserved-bytes';

/**
 * `reserve` is called, while nobody else looks for room, when `neededBytes` fit. `without`: a folder on its way in whose
 * bytes are the needed ones.
 */
export async function makeRoom(
  spool: Spool,
  neededBytes: number,
  reserve: () => Promise<void>,
  without?: string,
): Promise<Room> {
  const { paths, limits } = spool;
  return await withSpoolLock(paths.root, async () => {
    const { entries } = await listEntries(spool);
    const plan = async (isInUse: (name: string) => boolean): Promise<BoundsPlan> =>
      planBounds(
        entries.map((entry) => ({ ...entry, isInUse: isInUse(entry.name) })),
        limits,
        { nowMs: Date.now(), neededBytes, otherBytes: await incomingBytes(spool, without) },
      );
    const locks = new Map<string, Lock>();
    try {
      let found = await plan(() => false);
      if (found.drops.length > 0) {
        // Nothing else asks who is at work on an entry.
        for (const { name } of entries) {
          const lock = await tryLock(paths.root, 'entry', name);
          if (lock !== undefined) {
            locks.set(name, lock);
          }
        }
        found = await plan((name) => !locks.has(name));
      }
      const { drops, fits } = found;
      const dropped: DroppedEntry[] = [];
      for (const { name, reason } of drops) {
        const entry = entries.find((candidate) => candidate.name === name);
        if (entry !== undefined) {
          await drop(spool, entry, reason);
          dropped.push({ entry, reason });
        }
      }
      if (fits) {
        await reserve();
      }
      return { dropped, fits };
    } finally {
      for (const lock of locks.values()) {
        await lock.release();
      }
    }
  });
}

/** A crash between the two leaves the entry, which is then dropped, and recorded, once more. */
async function drop(spool: Spool, entry: SpoolEntry, reason: DropReason): Promise<void> {
  const { name, vm, createdMs, sizeBytes, attempts } = entry;
  await appendLine(spool.paths.dropped, {
    entry: name,
    vm,
    created: new Date(createdMs).toISOString(),
    sizeBytes,
    reason,
    attemptCount: attempts.count,
    dropped: new Date().toISOString(),
  });
  await removeEntry(spool, name);
}

async function incomingBytes({ paths }: Spool, without: string | undefined): Promise<number> {
  let sumBytes = 0;
  for (const name of await readdir(paths.incoming)) {
    if (name !== without) {
      const folder = join(paths.incoming, name);
      const reserved = await readFile(join(folder, reservationFile), 'utf8').catch(() => '0');
      // What is no number reserves nothing.
      const reservedBytes = /^\d{1,15}$/.test(reserved) ? Number(reserved) : 0;
      sumBytes += Math.max(reservedBytes, await allocatedBytes(folder));
    }
  }
  return sumBytes;
}
