// Guest RAM as Firecracker's snapshot keeps it: a memory file without any header, and a state file beside it.
//
// The memory file is the guest's regions in ascending order of address, back to back (vstate/memory.rs, `dump`); a diff
// snapshot leaves holes for pages that did not change. The state file knows the regions, but encodes them in the forms
// of Rust crates that change with the release (versionize, bincode, since 2026 bitcode). Its magic tells the machine, and
// with that the rule by which Firecracker lays RAM out (arch/x86_64/mod.rs, arch_memory_regions); the kernel inside
// decides between the rules of the releases. A map (region-map.ts) overrides all of it.
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ParsError } from '../../pars-error.js';
import { viewOfExtents } from '../file-extents.js';
import { ImageFile, imageOfFile } from '../image-file.js';
import type { ImageOpener, MemoryImage, OpenOptions } from '../memory-image.js';
import type { Gpa, MemoryRegion, PhysicalMemory } from '../physical-memory.js';
import { viewsOfLayouts, wholePages } from './raw-file.js';
import { extentsOfMap, findRegionMap, mapRemedy, type RegionMap } from './region-map.js';

const gib = 2 ** 30;

interface Gap {
  readonly startGpa: Gpa;
  readonly endGpa: Gpa;
}

/** Where x86-64 guests have no RAM: since v1.13 (2025) for devices of 32 and 64 bits, before that below 4 GiB only. */
const x86Gaps: readonly (readonly Gap[])[] = [
  [
    { startGpa: 3 * gib, endGpa: 4 * gib },
    { startGpa: 256 * gib, endGpa: 512 * gib },
  ],
  [{ startGpa: 3.25 * gib, endGpa: 4 * gib }],
];
const armRamStart = 2 * gib;

/** SNAPSHOT_MAGIC_ID without its lowest 16 bits, in which old releases keep a version. */
const magics = { x86: 0x0710_1984_8664n, arm: 0x0710_1984_aaaan } as const;
const magicEnd = 9;
/** A state file is at most this long by Firecracker's own limit (snapshot/mod.rs). */
const maxStateBytes = 10_000_000;
/** Files beside the image that are looked at. */
const maxNeighbourCount = 64;

type Machine = keyof typeof magics;

export const firecrackerOpener: ImageOpener = {
  format: 'firecracker',
  takesMap: true,
  recognises: (head, path) =>
    machineOf(head) !== undefined || (head.length > 0 && machineBeside(path) !== undefined),
  open: openFirecracker,
};

/** The ways of the releases to lay out RAM of this size, newest first. */
export function firecrackerLayouts(sizeBytes: number): readonly (readonly MemoryRegion[])[] {
  return x86Gaps.map((gaps) => {
    const regions: MemoryRegion[] = [];
    let gpaStart = 0;
    let imageOffset = 0;
    for (const { startGpa, endGpa } of [...gaps, { startGpa: Infinity, endGpa: Infinity }]) {
      const bytes = Math.min(startGpa - gpaStart, sizeBytes - imageOffset);
      if (bytes > 0) {
        regions.push({ gpaStart, sizeBytes: bytes, imageOffset });
        imageOffset += bytes;
      }
      gpaStart = endGpa;
    }
    return regions;
  });
}

function openFirecracker(path: string, options: OpenOptions): MemoryImage {
  const map = findRegionMap(path, options.mapPath);
  return ImageFile.openAs(path, (file) => {
    const head = Buffer.alloc(Math.min(magicEnd, file.sizeBytes));
    file.read(0, head);
    if (machineOf(head) !== undefined) {
      throw new ParsError(
        'image-invalid',
        `${path} is Firecracker's state file: expected the memory file that was written with it (mem_file_path)`,
      );
    }
    const sizeBytes = wholePages(file);
    const isArm = machineBeside(path) === 'arm';
    const layouts = isArm
      ? [[{ gpaStart: armRamStart, sizeBytes, imageOffset: 0 }]]
      : firecrackerLayouts(sizeBytes);
    const image = imageOfFile(
      'firecracker',
      file,
      map === undefined ? viewsOfLayouts(file, layouts) : [viewOfMap(file, map)],
    );
    return isArm
      ? {
          ...image,
          unsupported: "the state file is of another machine: expected x86-64's, found AArch64's",
        }
      : image;
  });
}

/** The regions of a state are the whole file: bytes that no region claims would be lost. */
function viewOfMap(file: ImageFile, map: RegionMap): PhysicalMemory {
  const extents = extentsOfMap(map, file.sizeBytes);
  const mappedBytes = extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (mappedBytes !== file.sizeBytes) {
    throw new ParsError(
      'image-invalid',
      `${file.path}: expected the ${mappedBytes} bytes that the regions of ${map.path} have together, ` +
        `found ${file.sizeBytes}; it may be truncated, or the map another snapshot's`,
    );
  }
  return viewOfExtents(file, extents, mapRemedy);
}

/** Undefined when these are not the first bytes of a state file. */
function machineOf(head: Buffer): Machine | undefined {
  // bitcode writes a byte on how it packed the number before it.
  for (const at of [0, 1]) {
    if (head.length >= at + 8) {
      const magic = head.readBigUInt64LE(at) >> 16n;
      for (const machine of ['x86', 'arm'] as const) {
        if (magic === magics[machine]) {
          return machine;
        }
      }
    }
  }
  return undefined;
}

/** The machine of the first state file in the image's folder. Its name is the user's choice, so all are looked at. */
function machineBeside(path: string): Machine | undefined {
  try {
    for (const name of readdirSync(dirname(path)).slice(0, maxNeighbourCount)) {
      const neighbour = join(dirname(path), name);
      const stat = statSync(neighbour, { throwIfNoEntry: false });
      if (stat?.isFile() === true && stat.size <= maxStateBytes) {
        const machine = machineOf(headOf(neighbour));
        if (machine !== undefined) {
          return machine;
        }
      }
    }
  } catch {
    // A folder that may not be read says nothing about the machine.
  }
  return undefined;
}

function headOf(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(magicEnd);
    return head.subarray(0, readSync(fd, head, 0, magicEnd, 0));
  } finally {
    closeSync(fd);
  }
}
