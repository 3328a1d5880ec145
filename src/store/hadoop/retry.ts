// Doing something again after a transient failure: bounded, with growing delays that are spread by chance, so that many
// clients of a NameNode that comes back do not knock at the same instant.

import { setTimeout as delay } from 'node:timers/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { UnreachableCopies } from '../unreachable.js';

export interface RetryPolicy {
  /** The first one included; 1 means no retry. */
  readonly attemptCount: number;
  /** Before the second attempt; doubles with each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** No further attempt begins so long after the first. */
  readonly maxTotalMs?: number;
}

export const defaultRetryMaxMs = 120_000;

/** About 17 s of delays in all: longer than a NameNode's failover usually takes, shorter than a person's patience. */
export const defaultRetryPolicy: RetryPolicy = {
  attemptCount: 8,
  firstDelayMs: 200,
  maxDelayMs: 5_000,
  maxTotalMs: defaultRetryMaxMs,
};

/** A wrong host or port should be reported soon, and most failures to open a store are one. */
const openAttemptCount = 4;

/** The policy for the first question to a store, which tells whether it can be opened. */
export function openingPolicy(policy: RetryPolicy): RetryPolicy {
  return { ...policy, attemptCount: Math.min(openAttemptCount, policy.attemptCount) };
}

/**
 * The policy for calls to several NameNodes: when the active one dies, another takes its place only after the session of the dead
 * one has ended (10 s in ZooKeeper) and it was fenced off. With the default policy that is a minute, which `maxTotalMs` bounds.
 */
export function failoverPolicy(policy: RetryPolicy): RetryPolicy {
  return { ...policy, attemptCount: 3 * policy.attemptCount };
}

export interface Retry {
  readonly policy: RetryPolicy;
  /** A number in [0, 1), as Math.random. */
  readonly random: () => number;
  readonly sleep: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>;
}

export function createRetry(policy: RetryPolicy): Retry {
  return {
    policy,
    random: Math.random,
    sleep: (delayMs, signal) => delay(delayMs, undefined, signal ? { signal } : {}),
  };
}

/**
 * Calls `attempt` until it succeeds, fails for good, or the policy is used up; then the last failure is thrown.
 * `isWorthAnother` decides what is worth another attempt, a passing `unavailable` unless told.
 */
export async function retried<T>(
  retry: Retry,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
  isWorthAnother: (error: unknown) => boolean = isPassing,
): Promise<T> {
  const { attemptCount, firstDelayMs, maxDelayMs, maxTotalMs = defaultRetryMaxMs } = retry.policy;
  const startMs = performance.now();
  for (let failureCount = 1; ; failureCount++) {
    throwIfCancelled(signal);
    try {
      return await attempt();
    } catch (error) {
      if (failureCount >= attemptCount || !isWorthAnother(error)) {
        throw error;
      }
      if (performance.now() - startMs >= maxTotalMs) {
        throw error;
      }
    }
    const fullDelayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (failureCount - 1));
    try {
      await retry.sleep(fullDelayMs * (0.5 + retry.random() / 2), signal);
    } catch {
      // Only an aborted signal ends the sleep early; the next round says so.
    }
  }
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof ParsError && error.code === 'unavailable';
}

/** Copies that cannot be reached were each asked already, and come back by somebody's hand. */
function isPassing(error: unknown): boolean {
  return isUnavailable(error) && !(error instanceof UnreachableCopies);
}

/** Throws `cancelled` once the signal is aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new ParsError('cancelled', 'the work on the store was stopped by its caller', {
      cause: signal.reason,
    });
  }
}
