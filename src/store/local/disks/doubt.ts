// The error for disks that do not agree: it says who says what, and how a person settles it. As with an mdadm array or
// a zpool whose members differ, nothing is guessed and nothing is changed.

import { type ErrorCode, ParsError } from '../../../../introspect/pars-error.js';
import type { Disk } from './disk.js';

/** `found` is one sentence without its end. Of the code `corrupt` unless told. */
export function doubt(
  disks: readonly Disk[],
  found: string,
  code: ErrorCode = 'corrupt',
): ParsError {
  const states = disks.map(
    ({ folder, marker }) => `${folder} (disk ${marker.diskNumber}, epoch ${marker.epoch})`,
  );
  return new ParsError(
    code,
    `${found}; the disks there are ${states.join(', ')}. Nothing was changed. ${settlingHint}`,
  );
}

export const settlingHint =
  'Take away a disk that does not belong there, or see `pars disks --store URL`, and settle it with ' +
  '`pars disks --store URL --trust FOLDER`: the names on that disk then count, and what others have more is ' +
  'set aside, or taken over with --keep-all';
