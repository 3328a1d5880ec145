// A snapshot's RAM as one image, and what says where it lies in memory where that is not known from its size.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import type { GuestSnapshot } from '../guest/guest-snapshot.js';

const mib = 2 ** 20;
const fourGib = 2 ** 32;

/** The kernel inside finds the place of a DIMM; a machine with little RAM below 4 GiB needs a map. */
export function openRamOf({ folder, machine, ramPath, dimmPath }: GuestSnapshot): MemoryImage {
  const { ramSizeMib, dimmSizeMib, lowRamSizeMib } = machine;
  if (dimmSizeMib !== undefined) {
    const joined = join(folder, 'joined');
    execFileSync('sh', ['-c', 'cat "$0" "$1" >"$2"', ramPath, dimmPath, joined]);
    return openRawFile(joined);
  }
  if (lowRamSizeMib === undefined) {
    return openRawFile(ramPath);
  }
  const mapPath = join(folder, 'map.json');
  const regions = [
    { gpa: 0, sizeBytes: lowRamSizeMib * mib },
    { gpa: fourGib, sizeBytes: (ramSizeMib - lowRamSizeMib) * mib },
  ];
  writeFileSync(mapPath, JSON.stringify({ regions }));
  return openRawFile(ramPath, { mapPath });
}
