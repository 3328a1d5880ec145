// What the file says of a disk beside its pages: a key of its space. Name and format become parts of file names when the
// disk is restored, so they hold nothing that could lead elsewhere.
import { z } from 'zod';
import type { StoredDisk } from '../types.js';

/** One segment of a path, whatever stands before and behind it. */
export const diskNamePattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
/** As QEMU names its formats. */
export const diskFormatPattern = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** PATH_MAX of Linux. */
export const maxSourcePathLength = 4096;

export const diskSchema = z.object({
  name: z.string().regex(diskNamePattern, 'expected a name of A-Z a-z 0-9 . _ - only'),
  sourcePath: z.string().max(maxSourcePathLength),
  sourceFormat: z.string().regex(diskFormatPattern, 'expected a format such as raw or qcow2'),
  sizeBytes: z.int().min(1),
  wasEncrypted: z.literal(true).optional(),
});

export function diskRecord({
  name,
  sourcePath,
  sourceFormat,
  sizeBytes,
  wasEncrypted,
}: StoredDisk): StoredDisk {
  const record = { name, sourcePath, sourceFormat, sizeBytes };
  return wasEncrypted === true ? { ...record, wasEncrypted } : record;
}
