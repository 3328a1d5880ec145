// What the store knows of a file, kept as the name of an empty file. So an entry can be neither torn nor half-written,
// it takes no data block, and two trees of names are compared without reading a file:
//
//   =1,9f0c2d61a3b84e0f8d1c5a7b62e4f093,67108864,1767225600000,4.1.5
//    |  id of the copies                size     modified      disks that were given a copy, by number
//    version
//
// '=' and ',' are outside the alphabet of names in a store, so an entry never looks like a name.

import { ParsError } from '../../../../introspect/pars-error.js';

export interface NameEntry {
  /** 32 hex digits, given once: copies are immutable and never shared between names. */
  readonly copyId: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly diskNumbers: readonly number[];
}

const entryPattern = /^=1,([0-9a-f]{32}),(\d{1,15}),(\d{1,15}),(\d{1,4}(?:\.\d{1,4})*)$/;

export function isNameEntry(fileName: string): boolean {
  return fileName.startsWith('=');
}

export function encodeNameEntry(entry: NameEntry): string {
  return `=1,${entry.copyId},${entry.sizeBytes},${entry.modifiedMs},${entry.diskNumbers.join('.')}`;
}

/** `where` opens the message. Throws `unsupported` for an entry of another version. */
export function decodeNameEntry(fileName: string, where: string): NameEntry {
  const fields = entryPattern.exec(fileName);
  if (fields === null) {
    throw new ParsError(
      'unsupported',
      `${where}: expected a name entry of version 1, found '${fileName}'; use a newer program`,
    );
  }
  return {
    copyId: fields[1],
    sizeBytes: Number(fields[2]),
    modifiedMs: Number(fields[3]),
    diskNumbers: fields[4].split('.').map(Number),
  };
}
