// Where a VM has RAM, found by trying: libvmi says the highest address only, and reads fail in the holes.
//
// Firmware leaves small holes in the first megabyte, so every page is tried there; above it, one page in each 2 MiB, and
// where two of them differ the edge between them is searched for. A hole that fits between is not noticed: its pages
// read as zero (libvmi.ts).
import { type Gpa, type MemoryRegion, pageSizeBytes } from '../physical-memory.js';

const firstMegabyte = 2 ** 20;
const stepBytes = 2 * 2 ** 20;

/** `isRam` says whether the page at the address can be read. Ascending, in whole pages. */
export function findRegions(endGpa: Gpa, isRam: (gpa: Gpa) => boolean): readonly MemoryRegion[] {
  const edges: Gpa[] = [];
  let wasRam = false;
  let before = 0;
  for (const gpa of probes(endGpa)) {
    const nowRam = isRam(gpa);
    if (nowRam !== wasRam) {
      edges.push(gpa === 0 ? 0 : edgeBetween(before, gpa, nowRam, isRam));
    }
    wasRam = nowRam;
    before = gpa;
  }
  if (wasRam) {
    edges.push(endGpa);
  }
  return regionsBetween(edges);
}

/** The last page is always among them. */
function* probes(endGpa: Gpa): Generator<Gpa, void, undefined> {
  const last = endGpa - pageSizeBytes;
  let gpa = 0;
  while (gpa < last) {
    yield gpa;
    gpa += gpa < firstMegabyte ? pageSizeBytes : stepBytes;
  }
  if (last >= 0) {
    yield last;
  }
}

/** The first page after `low` that is as `high` is. */
function edgeBetween(low: Gpa, high: Gpa, ramAtHigh: boolean, isRam: (gpa: Gpa) => boolean): Gpa {
  let same = low / pageSizeBytes;
  let different = high / pageSizeBytes;
  while (different - same > 1) {
    const middle = Math.floor((same + different) / 2);
    if (isRam(middle * pageSizeBytes) === ramAtHigh) {
      different = middle;
    } else {
      same = middle;
    }
  }
  return different * pageSizeBytes;
}

/** Edges come in pairs: RAM begins, RAM ends. */
function regionsBetween(edges: readonly Gpa[]): readonly MemoryRegion[] {
  const regions: MemoryRegion[] = [];
  let imageOffset = 0;
  for (let index = 0; index + 1 < edges.length; index += 2) {
    const sizeBytes = edges[index + 1] - edges[index];
    regions.push({ gpaStart: edges[index], sizeBytes, imageOffset });
    imageOffset += sizeBytes;
  }
  return regions;
}
