// How sending an entry ended, and with that what becomes of it. Pure.

/** Exit codes of `pars upload` by what they mean here. All others mean that the same would happen again. */
export interface ExitMeaning {
  /** A snapshot is in the store, whatever else there is to say of it. */
  readonly stored: readonly number[];
  /** The store is away or full: nothing is wrong with the entry, nor would another one fare better. */
  readonly storeAway: readonly number[];
  /** The upload was stopped. */
  readonly stopped: readonly number[];
  /** The exit code of `pars list` where there is no such store yet. */
  readonly noStore: number;
}

export interface ProcessEnd {
  /** Absent when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
}

export type UploadOutcome =
  /** `later`: this entry may go through the next time. `away`: no entry goes through now. */
  'stored' | 'later' | 'away' | 'failed';

export function outcomeOf({ exitCode, timedOut }: ProcessEnd, meaning: ExitMeaning): UploadOutcome {
  if (exitCode !== undefined && meaning.stored.includes(exitCode)) {
    // Also where the time was up at the same moment.
    return 'stored';
  }
  if (timedOut || exitCode === undefined || meaning.stopped.includes(exitCode)) {
    return 'later';
  }
  return meaning.storeAway.includes(exitCode) ? 'away' : 'failed';
}

const firstDelayMs = 60_000;
const maxDelayMs = 3_600_000;
/** What failed for good is tried again once a day: whoever repaired the cause need not know of the spool. */
export const failedDelayMs = 24 * 3_600_000;

/** Before the next attempt, after so many: 1, 2, 4 ... minutes, an hour at most. */
export function retryDelayMs(attemptCount: number): number {
  return Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(30, attemptCount - 1));
}
