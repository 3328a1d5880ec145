// Guest RAM as a snapshot folder of Cloud Hypervisor: config.json, state.json and memory-ranges.
//
//   state.json     {"snapshots": {"memory-manager": {"snapshot_data": {"state": "..."}}}}, a tree of devices; the state is
//                  JSON once more, as text: {"memory_ranges": {"data": [{"gpa": 0, "length": 1073741824}, ...]}, ...}
//   memory-ranges  the bytes of these ranges in this order, without any header (vmm/src/memory_manager.rs, `send`)
//
// The order is that of the memory zones, not of addresses.
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ParsError } from '../../pars-error.js';
import { type FileExtent, maxExtentCount, viewOfExtents } from '../file-extents.js';
import { ImageFile, imageOfFile } from '../image-file.js';
import { memberOf, parseJson, readJsonFile } from '../json-file.js';
import type { ImageOpener, MemoryImage } from '../memory-image.js';

const rangesName = 'memory-ranges';
const stateName = 'state.json';

export const cloudHypervisorOpener: ImageOpener = {
  format: 'cloud-hypervisor',
  recognises: (_head, path) =>
    isFolder(path)
      ? existsSync(join(path, stateName))
      : basename(path) === rangesName && existsSync(join(dirname(path), stateName)),
  open: openCloudHypervisor,
};

/** Takes the folder or the file `memory-ranges` in it. */
function openCloudHypervisor(path: string): MemoryImage {
  const folder = isFolder(path) ? path : dirname(path);
  const statePath = join(folder, stateName);
  const extents = readRanges(statePath);
  return ImageFile.openAs(isFolder(path) ? join(folder, rangesName) : path, (file) => {
    const totalBytes = extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (file.sizeBytes !== totalBytes) {
      throw new ParsError(
        'image-invalid',
        `${file.path}: expected the ${totalBytes} bytes that the ranges of ${statePath} have together, ` +
          `found ${file.sizeBytes}; it may be truncated, or another snapshot's`,
      );
    }
    return imageOfFile('cloud-hypervisor', file, [
      viewOfExtents(file, extents, 'take the snapshot again'),
    ]);
  });
}

function readRanges(statePath: string): readonly FileExtent[] {
  const manager = memberOf(memberOf(readJsonFile(statePath), 'snapshots'), 'memory-manager');
  const text = memberOf(memberOf(manager, 'snapshot_data'), 'state');
  if (typeof text !== 'string') {
    throw new ParsError(
      'image-invalid',
      `${statePath}: expected snapshots.memory-manager.snapshot_data.state to be a text, found ${typeof text}; ` +
        'releases of Cloud Hypervisor before v39 (2024) wrote another form',
    );
  }
  const name = `snapshots.memory-manager in ${statePath}`;
  const ranges = memberOf(memberOf(parseJson(text, name), 'memory_ranges'), 'data');
  if (!Array.isArray(ranges) || ranges.length === 0 || ranges.length > maxExtentCount) {
    throw new ParsError(
      'image-invalid',
      `${name}: expected memory_ranges.data with 1 to ${maxExtentCount} ranges, ` +
        `found ${Array.isArray(ranges) ? `${ranges.length}` : 'no list'}; ` +
        'RAM that the VM keeps in shared files of its own is not in the snapshot',
    );
  }
  let fileOffset = 0;
  return ranges.map((range: unknown, index): FileExtent => {
    const rangeName = `range ${index} of ${statePath}`;
    const sizeBytes = numberOf(range, 'length', rangeName);
    const extent = {
      name: rangeName,
      gpaStart: numberOf(range, 'gpa', rangeName),
      sizeBytes,
      fileOffset,
      storedBytes: sizeBytes,
    };
    fileOffset += sizeBytes;
    return extent;
  });
}

function numberOf(range: unknown, key: string, name: string): number {
  const value = memberOf(range, key);
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new ParsError(
      'image-invalid',
      `${name}: expected ${key} to be a whole number of bytes, found ${JSON.stringify(value)}`,
    );
  }
  return value;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
