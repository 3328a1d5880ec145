// The names that every store takes. Checked before anything is sent or opened, so that a name can neither leave the
// store's root nor mean different things on HDFS and on a local file system.

import { ParsError } from '../../introspect/pars-error.js';

/** What ext4, XFS and an HDFS NameNode allow by default for one segment; the alphabet is ASCII, so bytes. */
const segmentMaxBytes = 255;
/** Leaves room for the root in front of it below Linux's 4096 bytes for a path. */
const nameMaxBytes = 2048;

const segmentPattern = /^[A-Za-z0-9._-]+$/;

/** Throws `usage` unless `name` may name a file or a folder below the store's root. */
export function checkStoreName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) {
    throw new ParsError('usage', problem);
  }
}

/** Whether this interface can name it: other programs may have put files beside its own. */
export function isStoreName(name: string): boolean {
  return nameProblem(name) === undefined;
}

/** As `checkStoreName`, but '' is allowed and means the store's root. */
export function checkStoreFolder(folder: string): void {
  if (folder !== '') {
    checkStoreName(folder);
  }
}

/** Whether `text` may stand between the slashes of a name. */
export function isSegment(text: string): boolean {
  return segmentProblem(text) === undefined;
}

function nameProblem(name: string): string | undefined {
  if (name.length > nameMaxBytes) {
    return `a name in a store has at most ${nameMaxBytes} bytes, found ${name.length}: ${name.slice(0, 80)}...`;
  }
  const problem = name
    .split('/')
    .map(segmentProblem)
    .find((found) => found !== undefined);
  if (problem === undefined) {
    return undefined;
  }
  return (
    `${JSON.stringify(name)} is no name in a store: ${problem}; ` +
    `expected segments of A-Z a-z 0-9 . _ - joined by single slashes, relative to the store's root`
  );
}

function segmentProblem(segment: string): string | undefined {
  if (segment === '') {
    return 'it has an empty segment';
  }
  if (segment === '.' || segment === '..') {
    return `the segment '${segment}' is not allowed`;
  }
  if (segment.length > segmentMaxBytes) {
    return `a segment is over ${segmentMaxBytes} bytes`;
  }
  if (!segmentPattern.test(segment)) {
    return `${JSON.stringify(segment)} has other characters`;
  }
  return undefined;
}
