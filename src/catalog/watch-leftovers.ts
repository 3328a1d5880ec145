// Whether leftovers are of uploads that are dead, told by no clock: each is looked at again after a while by this process's
// stopwatch. One that is alive has given its claim the next count by then (claim.ts), many times over.
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../introspect/pars-error.js';
import type { Store } from '../store/store.js';
import { renewalMs } from './claim.js';
import type { Leftover } from './find-leftovers.js';
import { isUnchanged } from './remove-leftover.js';

/** Five renewals: a store that is slow, or away for a moment, may cost an upload some of them. */
const defaultWatchMs = 5 * renewalMs;

/** The leftovers of which nothing changed meanwhile. Waits only when there are any. Throws `cancelled`. */
export async function watchLeftovers(
  store: Store,
  leftovers: readonly Leftover[],
  signal?: AbortSignal,
  watchMs = defaultWatchMs,
): Promise<readonly Leftover[]> {
  if (leftovers.length === 0) {
    return [];
  }
  try {
    await sleep(watchMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw new ParsError('cancelled', 'stopped while watching for signs of life', { cause: error });
  }
  const dead: Leftover[] = [];
  for (const leftover of leftovers) {
    if (await isUnchanged(store, leftover)) {
      dead.push(leftover);
    }
  }
  return dead;
}
