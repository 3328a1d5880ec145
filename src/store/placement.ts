// Which disks or nodes a file's copies go to: rendezvous hashing. Every disk gets a score from the file's name and its own
// number, and the highest scores win. No table is kept, files spread evenly, and a disk more or less moves only the
// files that it wins or held.

import { createHash } from 'node:crypto';

/** All of `diskNumbers`, the first choice for `name` first; the order they come in does not matter. */
export function placementOrder(name: string, diskNumbers: readonly number[]): readonly number[] {
  return diskNumbers
    .map((diskNumber) => ({ diskNumber, score: score(name, diskNumber) }))
    .sort((a, b) => b.score - a.score || a.diskNumber - b.diskNumber)
    .map(({ diskNumber }) => diskNumber);
}

/** A CRC would not do: it is linear, so two disks' scores would differ by the same bits for every name. */
function score(name: string, diskNumber: number): number {
  return createHash('sha256').update(`${diskNumber}:${name}`).digest().readUIntBE(0, 6);
}
