// A map of an image: a JSON file that says where the image's bytes lie in guest-physical memory, for containers that do
// not say so themselves. `IMAGE.map.json` beside the image is taken without being asked for.
//
//   { "regions": [
//       { "gpa": "0x0", "sizeBytes": 2147483648, "fileOffset": 0 },
//       { "gpa": "0x100000000", "sizeBytes": 2147483648 } ] }
//
// In any order. Without `fileOffset`, a region's bytes follow those of the region listed before it. The names that
// Firecracker gives a region of its state are understood too: `base_address` for `gpa`, `size` for `sizeBytes`.
import { existsSync } from 'node:fs';
import { ParsError } from '../../pars-error.js';
import { type FileExtent, maxExtentCount } from '../file-extents.js';
import { memberOf, readJsonFile } from '../json-file.js';

/** The map that was read, and where from. */
export interface RegionMap {
  readonly path: string;
  readonly regions: readonly MappedRegion[];
}

interface MappedRegion {
  readonly gpa: number;
  readonly sizeBytes: number;
  readonly fileOffset: number | undefined;
}

/**
 * By what names a map may have each number; it has one of them. The rest of what Firecracker says of a region does not move
 * its bytes.
 */
const numberNames = {
  gpa: ['gpa', 'base_address'],
  sizeBytes: ['sizeBytes', 'size'],
  fileOffset: ['fileOffset'],
} as const;
/** What to do about regions that contradict each other. */
export const mapRemedy = 'correct the map';
const ignoredNames = ['region_type', 'plugged'];
const knownNames = new Set<string>([...Object.values(numberNames).flat(), ...ignoredNames]);

/** The map asked for, else the one beside the image, if there is one. Throws `image-invalid`. */
export function findRegionMap(imagePath: string, mapPath?: string): RegionMap | undefined {
  const besidePath = `${imagePath}.map.json`;
  const path = mapPath ?? (existsSync(besidePath) ? besidePath : undefined);
  return path === undefined ? undefined : { path, regions: readRegions(path) };
}

/** What the map makes of a file. Throws `image-invalid` where it gives bytes of the file to two regions. */
export function extentsOfMap(
  { path, regions }: RegionMap,
  fileSizeBytes: number,
): readonly FileExtent[] {
  let next = 0;
  const extents = regions.map(({ gpa, sizeBytes, fileOffset = next }, index): FileExtent => {
    next = fileOffset + sizeBytes;
    const name = `region ${index} of ${path}`;
    return { name, gpaStart: gpa, sizeBytes, fileOffset, storedBytes: sizeBytes };
  });
  let before: FileExtent | undefined;
  for (const extent of extents.toSorted((a, b) => a.fileOffset - b.fileOffset)) {
    if (before !== undefined && extent.fileOffset < before.fileOffset + before.sizeBytes) {
      throw new ParsError(
        'image-invalid',
        `${extent.name}: its bytes begin at offset ${extent.fileOffset} of the image, ` +
          `before those of ${before.name} end at ${before.fileOffset + before.sizeBytes} ` +
          `(the image has ${fileSizeBytes} bytes)`,
      );
    }
    before = extent;
  }
  return extents;
}

function readRegions(path: string): readonly MappedRegion[] {
  const regions = memberOf(readJsonFile(path), 'regions');
  if (!Array.isArray(regions) || regions.length === 0 || regions.length > maxExtentCount) {
    throw new ParsError(
      'image-invalid',
      `${path}: expected {"regions": [{"gpa", "sizeBytes"}, ...]} with 1 to ${maxExtentCount} regions, ` +
        `found ${Array.isArray(regions) ? `${regions.length} regions` : 'no list of regions'}`,
    );
  }
  return regions.map((region: unknown, index) => readRegion(region, `${path}: region ${index}`));
}

function readRegion(region: unknown, name: string): MappedRegion {
  if (typeof region !== 'object' || region === null) {
    throw new ParsError(
      'image-invalid',
      `${name}: expected an object, found ${JSON.stringify(region)}`,
    );
  }
  const unknownName = Object.keys(region).find((key) => !knownNames.has(key));
  if (unknownName !== undefined) {
    throw new ParsError(
      'image-invalid',
      `${name}: expected only ${[...knownNames].join(', ')}, found ${JSON.stringify(unknownName)}`,
    );
  }
  const read = (names: readonly string[]): number | undefined => readNumber(region, names, name);
  const required = (names: readonly string[]): number => {
    const value = read(names);
    if (value === undefined) {
      throw new ParsError('image-invalid', `${name}: expected ${names.join(' or ')}, found none`);
    }
    return value;
  };
  return {
    gpa: required(numberNames.gpa),
    sizeBytes: required(numberNames.sizeBytes),
    fileOffset: read(numberNames.fileOffset),
  };
}

/** A number, or a decimal or hexadecimal one as a string, since JSON has no hexadecimal. */
function readNumber(region: object, names: readonly string[], where: string): number | undefined {
  const given = names.filter((name) => Object.hasOwn(region, name));
  if (given.length > 1) {
    throw new ParsError('image-invalid', `${where}: expected one of ${given.join(', ')}`);
  }
  if (given.length === 0) {
    return undefined;
  }
  const value = memberOf(region, given[0]);
  const number =
    typeof value === 'string' && /^(0x[0-9a-f]{1,16}|\d{1,16})$/i.test(value)
      ? Number(value)
      : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    throw new ParsError(
      'image-invalid',
      `${where}: expected ${given[0]} to be a whole number of bytes, or one like "0x100000000", ` +
        `found ${JSON.stringify(value)}`,
    );
  }
  return number;
}
