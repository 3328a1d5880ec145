// One removal after the other, as forget and prune do: one that fails ends none of the others, Ctrl-C takes effect between
// two, and what became of each is told.
import { ParsError } from '../../../introspect/pars-error.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';

/** What people are told of each outcome. */
export const outcomeTexts = {
  removed: 'removed',
  'would-be-removed': 'would be removed',
  changed: 'changed meanwhile, left',
  failed: 'failed',
  'not-tried': 'not tried',
} as const;

export type RemovalOutcome = keyof typeof outcomeTexts;

export interface Removal {
  readonly id: string;
  readonly outcome: RemovalOutcome;
  /** Why it failed. */
  readonly error?: ParsError;
}

export async function removeInTurn<T extends { readonly id: string }>(
  items: readonly T[],
  remove: (item: T) => Promise<RemovalOutcome>,
  signal: AbortSignal,
): Promise<readonly Removal[]> {
  const removals: Removal[] = [];
  let isStoreAway = false;
  for (const item of items) {
    const { id } = item;
    if (isStoreAway || signal.aborted) {
      removals.push({ id, outcome: 'not-tried' });
      continue;
    }
    try {
      removals.push({ id, outcome: await remove(item) });
    } catch (error) {
      if (!(error instanceof ParsError)) {
        throw error;
      }
      removals.push({ id, outcome: 'failed', error });
      // The others would fail the same way, each after all its retries.
      isStoreAway = error.code === 'unavailable';
    }
  }
  return removals;
}

export function warnOfFailures(
  removals: readonly Removal[],
  what: string,
  warn: (sentence: string) => void,
): void {
  for (const { id, error } of removals) {
    if (error !== undefined) {
      warn(`${what} ${id} was not removed, or not all of it: ${error.message}`);
    }
  }
}

/** The first failure's, unless the user stopped the work. */
export function exitCodeOfRemovals(removals: readonly Removal[], signal: AbortSignal): number {
  if (signal.aborted && removals.some(({ outcome }) => outcome === 'not-tried')) {
    return exitCodeOfError.cancelled;
  }
  const failure = removals.find(({ error }) => error !== undefined)?.error;
  return failure === undefined ? exitCodes.ok : exitCodeOfError[failure.code];
}
