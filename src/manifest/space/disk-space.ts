// How RAM and a disk stand among the spaces of a manifest: named after what they are, a disk with one region from 0 and every
// page under one label.
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import type { DiskSpace, Manifest } from '../types.js';
import { ramOf } from './spaces.js';

export const ramSpaceName = 'ram';

/** What the legend calls the pages of disks; pages of RAM are never called so. */
export const diskLabel = 'disk';

export const diskSpaceName = (diskName: string): string => `disk-${diskName}`;

/** The size of a disk's one region: whole pages. */
export function diskRegionBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / pageSizeBytes) * pageSizeBytes;
}

/** What is wrong with the spaces as RAM and disks, in words, or undefined. */
export function spacesProblem({ header, spaces }: Manifest): string | undefined {
  if (spaces.length === 0) {
    return 'it has neither RAM nor a disk';
  }
  if (spaces.filter(({ kind }) => kind === 'ram').length > 1) {
    return 'two spaces are RAM';
  }
  const label = header.legend.indexOf(diskLabel);
  const ram = ramOf({ spaces });
  if (ram !== undefined && ram.name !== ramSpaceName) {
    return `RAM is the space ${ram.name}, expected ${ramSpaceName}`;
  }
  if (label >= 0 && ram?.labelRuns.label.includes(label) === true) {
    return `space ${ram.name}: pages of RAM are labelled ${diskLabel}`;
  }
  for (const space of spaces) {
    const problem = space.kind === 'disk' ? diskProblem(space, label) : undefined;
    if (problem !== undefined) {
      return `space ${space.name}: ${problem}`;
    }
  }
  return undefined;
}

function diskProblem(
  { name, disk, regions, labelRuns }: DiskSpace,
  label: number,
): string | undefined {
  if (name !== diskSpaceName(disk.name)) {
    return `its disk is named ${disk.name}, so ${diskSpaceName(disk.name)} was expected`;
  }
  const regionBytes = diskRegionBytes(disk.sizeBytes);
  if (regions.length !== 1 || regions[0].start !== 0 || regions[0].sizeBytes !== regionBytes) {
    return `a disk of ${disk.sizeBytes} bytes has one region of ${regionBytes} bytes from 0`;
  }
  return labelRuns.label.some((number) => number !== label)
    ? `pages of a disk are not labelled ${diskLabel}`
    : undefined;
}
