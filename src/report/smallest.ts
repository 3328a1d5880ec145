// Where PARS is not the smallest way of keeping an image, a report says so before anything else.
import type { Alternative, SnapshotReport } from './model/report.js';
import { bytesInWords, countOf } from './words.js';

/**
 * The sentence, undefined where PARS is the smallest or is not compared. PARS is what is stored, else the smallest that an upload
 * writes and that needs nothing beside it. Held against it is what a VM can be resumed from.
 */
export function notSmallest({ alternatives }: SnapshotReport): string | undefined {
  const pars = alternatives.filter(({ family }) => family === 'pars');
  const own =
    pars.find(({ basis }) => basis === 'stored') ??
    smallestOf(pars.filter(({ basis, note }) => basis === 'measured' && note === null));
  if (own === undefined) {
    return undefined;
  }
  const smaller = alternatives.filter(
    ({ family, resumes, storedBytes }) =>
      family !== 'pars' && resumes && storedBytes < own.storedBytes,
  );
  const smallest = smallestOf(smaller);
  if (smallest === undefined) {
    return undefined;
  }
  const others = smaller.length - 1;
  return (
    `PARS is not the smallest here. Smallest is "${smallest.title}" with ${bytesInWords(smallest.storedBytes)} on all disks, ` +
    `${(smallest.storedBytes / own.storedBytes).toFixed(2)} of "${own.title}" with ${bytesInWords(own.storedBytes)}` +
    (others === 0 ? '.' : `; ${countOf(others, 'other is', 'others are')} smaller too.`)
  );
}

function smallestOf(alternatives: readonly Alternative[]): Alternative | undefined {
  return alternatives.reduce<Alternative | undefined>(
    (smallest, next) =>
      smallest === undefined || next.storedBytes < smallest.storedBytes ? next : smallest,
    undefined,
  );
}
