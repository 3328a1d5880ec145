// One of several ways to the same end, the next of which is tried beside those under way when they take too long. So one node
// that hangs costs little more than one that is well.

import { ParsError } from '../../../introspect/pars-error.js';
import { startDeadline } from './net/deadline.js';

/** How many ways beyond the first may be under way at once, over all that share this. */
export class HedgeBudget {
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  tryTake(): boolean {
    if (this.#free === 0) {
      return false;
    }
    this.#free--;
    return true;
  }

  give(): void {
    this.#free++;
  }
}

export interface HedgeOptions {
  readonly budget: HedgeBudget;
  /** How long the ways under way may take before another is tried. */
  readonly slowMs: number;
  /** Called with the number of each way that is under way when another is tried for its slowness. */
  readonly onSlow: (index: number) => void;
  readonly signal: AbortSignal | undefined;
}

type Outcome<T> =
  | { readonly kind: 'done'; readonly index: number; readonly value: T }
  | { readonly kind: 'failed'; readonly index: number; readonly error: unknown };

/**
 * What the first way gives that succeeds, or why each failed. A way that fails is followed by the next at once. When one has
 * succeeded the others are ended by their signal, and have ended when this returns. An error that is no ParsError, and any after
 * the caller's abort, is thrown.
 */
export async function hedged<T>(
  ways: readonly ((signal: AbortSignal) => Promise<T>)[],
  { budget, slowMs, onSlow, signal }: HedgeOptions,
): Promise<{ readonly value: T } | { readonly failures: readonly ParsError[] }> {
  const running = new Map<number, { end: AbortController; outcome: Promise<Outcome<T>> }>();
  const failures: ParsError[] = [];
  let nextIndex = 0;
  let takenCount = 0;
  const start = (): void => {
    const index = nextIndex++;
    const end = new AbortController();
    const outcome = ways[index](end.signal).then(
      (value): Outcome<T> => ({ kind: 'done', index, value }),
      (error: unknown): Outcome<T> => ({ kind: 'failed', index, error }),
    );
    running.set(index, { end, outcome });
  };
  const endAll = (): void => {
    for (const { end } of running.values()) {
      end.abort(signal?.reason);
    }
  };
  signal?.addEventListener('abort', endAll);
  try {
    if (ways.length > 0) {
      start();
    }
    while (running.size > 0) {
      const outcomes = [...running.values()].map(({ outcome }) => outcome);
      const first = await firstOf(outcomes, nextIndex < ways.length ? slowMs : undefined);
      if (first === 'slow') {
        if (budget.tryTake()) {
          takenCount++;
          [...running.keys()].forEach(onSlow);
          start();
        }
        continue;
      }
      running.delete(first.index);
      if (first.kind === 'done') {
        return { value: first.value };
      }
      if (!(first.error instanceof ParsError) || signal?.aborted === true) {
        throw first.error;
      }
      failures.push(first.error);
      if (nextIndex < ways.length) {
        start();
      }
    }
    return { failures };
  } finally {
    signal?.removeEventListener('abort', endAll);
    endAll();
    await Promise.all([...running.values()].map(({ outcome }) => outcome));
    for (let count = 0; count < takenCount; count++) {
      budget.give();
    }
  }
}

/** The first that settles, or `slow` where none does in time. */
async function firstOf<T>(
  outcomes: readonly Promise<T>[],
  slowMs: number | undefined,
): Promise<T | 'slow'> {
  if (slowMs === undefined) {
    return await Promise.race(outcomes);
  }
  let stop = (): void => undefined;
  const slow = new Promise<'slow'>((resolve) => {
    stop = startDeadline(slowMs, () => {
      resolve('slow');
    });
  });
  try {
    return await Promise.race([...outcomes, slow]);
  } finally {
    stop();
  }
}
