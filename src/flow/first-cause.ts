// Parallel work that ends together: which of several failures is the one to report.
import { ParsError } from '../../introspect/pars-error.js';

/**
 * The failure that the others followed from, undefined when nothing failed: work that was stopped because of it only
 * says that it was stopped, and may stand earlier in the list.
 */
export function firstCause(settled: readonly PromiseSettledResult<unknown>[]): Error | undefined {
  const reasons = settled
    .filter((result) => result.status === 'rejected')
    .map((result) => result.reason as unknown);
  if (reasons.length === 0) {
    return undefined;
  }
  const cause =
    reasons.find((reason) => reason instanceof ParsError && reason.code !== 'cancelled') ??
    reasons.find((reason) => !isStop(reason)) ??
    reasons[0];
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** What all came to, once all have ended. Throws the first cause when some failed. */
export async function allOf<const Work extends readonly Promise<unknown>[]>(
  work: Work,
): Promise<{ -readonly [Key in keyof Work]: Awaited<Work[Key]> }> {
  const failure = firstCause(await Promise.allSettled(work));
  if (failure !== undefined) {
    throw failure;
  }
  return await Promise.all(work);
}

function isStop(reason: unknown): boolean {
  return (
    (reason instanceof ParsError && reason.code === 'cancelled') ||
    (reason instanceof Error && reason.name === 'AbortError')
  );
}
