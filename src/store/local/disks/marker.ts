// The marker of a disk, `pars-disk.json`: which disk of which store it is, and whose names it followed when.
//
// Version 2 ends with a CRC32C of itself, and a file that differs in a byte from what is written for its values is
// refused: a marker decides what is forgotten, so one flipped bit must not make another marker. Version 1 had no
// checksum. Such markers are read, but count only as far as the other disks' markers bear them out (membership.ts), and
// are replaced by version 2 at the first open at which they do.

import { crc32c } from '@node-rs/crc32';
import { z } from 'zod';
import { ParsError } from '../../../../introspect/pars-error.js';

const diskNumberSchema = z.int().min(1).max(9999);
const epochSchema = z.int().min(0);
const epochsByNumber = z.partialRecord(z.string().regex(/^[1-9]\d{0,3}$/), epochSchema);

const oldSchema = z.strictObject({
  format: z.literal('pars-local-store'),
  version: z.literal(1),
  /** The id of the store, on each of its disks. */
  storeId: z.uuid(),
  /** Given once; a disk that replaces a lost one gets a number of its own. */
  diskNumber: diskNumberSchema,
  /** The highest number given so far. */
  maxDiskNumber: diskNumberSchema,
  /** Goes up whenever the set of disks that follow every change of the names becomes another. See membership.ts. */
  epoch: epochSchema,
  /** Disks that do not follow, by number, each with the epoch it was last known to follow in. */
  leftBehind: epochsByNumber,
});

const newSchema = oldSchema.extend({
  version: z.literal(2),
  /**
   * Disks that were to get the marker of this epoch, each with the epoch it had before. One that still has that one
   * has missed the marker and no change.
   */
  followers: epochsByNumber,
  checksum: z.string().regex(/^[0-9a-f]{8}$/),
});

const markerSchema = z.discriminatedUnion('version', [oldSchema, newSchema]);

export type EpochsByNumber = Readonly<Partial<Record<string, number>>>;

export interface DiskMarker {
  readonly storeId: string;
  readonly diskNumber: number;
  readonly maxDiskNumber: number;
  readonly epoch: number;
  readonly leftBehind: EpochsByNumber;
  /** Empty in the first epoch and in a marker of version 1. */
  readonly followers: EpochsByNumber;
  /** False for a marker of version 1. */
  readonly hasChecksum: boolean;
}

/** A marker of 64 disks has less than 4 KiB. */
export const markerMaxBytes = 64 * 1024;

/** The text of a marker, always of version 2. */
export function encodeMarker(marker: DiskMarker): string {
  const { storeId, diskNumber, maxDiskNumber, epoch, leftBehind, followers } = marker;
  const value = {
    format: 'pars-local-store',
    version: 2,
    storeId,
    diskNumber,
    maxDiskNumber,
    epoch,
    leftBehind,
    followers,
  };
  const checksum = crc32c(JSON.stringify(value)).toString(16).padStart(8, '0');
  return `${JSON.stringify({ ...value, checksum }, null, 2)}\n`;
}

/** `file` opens the messages. Throws `corrupt` for a damaged marker and `unsupported` for one of another version. */
export function decodeMarker(text: string, file: string): DiskMarker {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ParsError('corrupt', `${file}: the disk's marker is not JSON`, { cause });
  }
  const parsed = markerSchema.safeParse(value);
  if (!parsed.success) {
    throw new ParsError(
      'unsupported',
      `${file}: expected the marker of a disk of version 1 or 2: ${z.prettifyError(parsed.error).replace(/\s*\n\s*/g, ' ')}`,
    );
  }
  const { storeId, diskNumber, maxDiskNumber, epoch, leftBehind } = parsed.data;
  const marker: DiskMarker = {
    storeId,
    diskNumber,
    maxDiskNumber,
    epoch,
    leftBehind,
    followers: parsed.data.version === 2 ? parsed.data.followers : {},
    hasChecksum: parsed.data.version === 2,
  };
  if (marker.hasChecksum && encodeMarker(marker) !== text) {
    throw new ParsError('corrupt', `${file}: the disk's marker does not match its checksum`);
  }
  return marker;
}
