// What a spool drops when it grows too large or too old. The rule: an entry is dropped only where a newer one of the same
// VM is in the spool, the oldest such first; so the newest snapshot of every VM stays, whatever the limits say. Pure.

export interface SpoolLimits {
  /** Bytes on the disk. Undefined: as much as the file system has. */
  readonly maxSizeBytes: number | undefined;
  /** Since the moment of the snapshot. */
  readonly maxAgeMs: number | undefined;
}

export interface BoundedEntry {
  readonly name: string;
  readonly vm: string;
  /** Tells VMs of one name apart; the name alone where it is absent. */
  readonly group?: string | undefined;
  readonly createdMs: number;
  readonly sizeBytes: number;
  /** Being sent: it stays. */
  readonly isInUse: boolean;
}

export type DropReason = 'age' | 'size';

export interface Drop {
  readonly name: string;
  readonly reason: DropReason;
}

export interface BoundsPlan {
  /** In this order. */
  readonly drops: readonly Drop[];
  /** Whether `neededBytes` more fit afterwards. */
  readonly fits: boolean;
}

/** `otherBytes`: what is on its way into the spool. */
export function planBounds(
  entries: readonly BoundedEntry[],
  { maxSizeBytes = Infinity, maxAgeMs = Infinity }: SpoolLimits,
  now: { readonly nowMs: number; readonly neededBytes: number; readonly otherBytes: number },
): BoundsPlan {
  const ordered = entries.toSorted(olderFirst);
  const newest = new Map(ordered.map((entry) => [groupOf(entry), entry.name]));
  const droppable = ordered.filter(
    (entry) => !entry.isInUse && newest.get(groupOf(entry)) !== entry.name,
  );
  const tooOld = droppable.filter(({ createdMs }) => now.nowMs - createdMs > maxAgeMs);
  const dropsByAge = tooOld.map(({ name }): Drop => ({ name, reason: 'age' }));

  const usedBytes = totalBytes(entries) - totalBytes(tooOld) + now.otherBytes;
  const rest = droppable.filter((entry) => !tooOld.includes(entry));
  const roomBytes = maxSizeBytes - now.neededBytes;
  const fits = usedBytes - totalBytes(rest) <= roomBytes;
  // Where no drop makes enough room, the spool only comes back to its own size: dropping more would help nobody.
  const dropsBySize = oldestOver(rest, usedBytes, fits ? roomBytes : maxSizeBytes);
  return {
    drops: [...dropsByAge, ...dropsBySize.map((name): Drop => ({ name, reason: 'size' }))],
    fits,
  };
}

const groupOf = ({ vm, group = vm }: BoundedEntry): string => group;

/** Oldest first; the name decides between equals, so that every process finds the same newest. */
export function olderFirst(
  a: Pick<BoundedEntry, 'createdMs' | 'name'>,
  b: Pick<BoundedEntry, 'createdMs' | 'name'>,
): number {
  return a.createdMs - b.createdMs || (a.name < b.name ? -1 : 1);
}

function oldestOver(
  entries: readonly BoundedEntry[],
  usedBytes: number,
  limitBytes: number,
): readonly string[] {
  const names: string[] = [];
  let leftBytes = usedBytes;
  for (const { name, sizeBytes } of entries) {
    if (leftBytes <= limitBytes) {
      break;
    }
    names.push(name);
    leftBytes -= sizeBytes;
  }
  return names;
}

function totalBytes(entries: readonly BoundedEntry[]): number {
  return entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
