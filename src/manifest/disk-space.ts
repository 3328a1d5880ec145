// How a disk stands among the spaces of a manifest: named after itself, one region from 0, every page under one label.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { disksFeature } from './layout.js';
import type { AddressSpace, Manifest, StoredDisk } from './types.js';

/** A space that is a disk. */
export interface DiskSpace extends AddressSpace {
  readonly disk: StoredDisk;
}

/** What the legend calls the pages of disks; pages of RAM are never called so. */
export const diskLabel = 'disk';

export const diskSpaceName = (diskName: string): string => `disk-${diskName}`;

/** The size of a disk's one region: whole pages. */
export function diskRegionBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / pageSizeBytes) * pageSizeBytes;
}

export function isDiskSpace(space: AddressSpace): space is DiskSpace {
  return space.disk !== undefined;
}

/** What is wrong with the spaces as RAM and disks, in words, or undefined. */
export function disksProblem({ header, spaces }: Manifest): string | undefined {
  const [ram, ...others] = spaces;
  if (ram.disk !== undefined) return `the first space, ${ram.name}, is a disk, expected RAM`;
  const label = header.legend.indexOf(diskLabel);
  if (label >= 0 && ram.labelRuns.label.includes(label)) {
    return `space ${ram.name}: pages of RAM are labelled ${diskLabel}`;
  }
  if (others.length > 0 && !header.requiredFeatures.includes(disksFeature)) {
    return `there are disks, but the feature ${disksFeature} is not required`;
  }
  for (const space of others) {
    const problem = isDiskSpace(space) ? diskProblem(space, label) : 'it is neither RAM nor a disk';
    if (problem !== undefined) return `space ${space.name}: ${problem}`;
  }
  return undefined;
}

function diskProblem(space: DiskSpace, label: number): string | undefined {
  const { name, disk, regions, labelRuns } = space;
  if (name !== diskSpaceName(disk.name)) {
    return `its disk is named ${disk.name}, so ${diskSpaceName(disk.name)} was expected`;
  }
  const regionBytes = diskRegionBytes(disk.sizeBytes);
  if (regions.length !== 1 || regions[0].start !== 0 || regions[0].sizeBytes !== regionBytes) {
    return `a disk of ${disk.sizeBytes} bytes has one region of ${regionBytes} bytes from 0`;
  }
  if (labelRuns.label.some((number) => number !== label)) {
    return `pages of a disk are not labelled ${diskLabel}`;
  }
  const healed = [space.healing, space.diskHeld, space.notStored];
  return healed.some((key) => key !== undefined)
    ? 'pages of a disk cannot be healed, yet it says how'
    : undefined;
}
