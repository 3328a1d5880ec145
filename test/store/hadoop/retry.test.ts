import { ParsError } from '../../../introspect/pars-error.js';
import { createRetry, retried, type Retry } from '../../../src/store/hadoop/retry.js';

function recordingRetry(attemptCount: number, random: number): Retry & { delaysMs: number[] } {
  const delaysMs: number[] = [];
  return {
    policy: { attemptCount, firstDelayMs: 100, maxDelayMs: 350 },
    random: () => random,
    sleep: (delayMs) => {
      delaysMs.push(delayMs);
      return Promise.resolve();
    },
    delaysMs,
  };
}

function failing(code: 'unavailable' | 'not-found', failureCount: number) {
  const state = { callCount: 0 };
  const attempt = () => {
    state.callCount++;
    return state.callCount <= failureCount
      ? Promise.reject(new ParsError(code, `failure ${state.callCount}`))
      : Promise.resolve('done');
  };
  return { state, attempt };
}

describe('a retried operation', () => {
  it('is done again while the store is unavailable', async () => {
    const { state, attempt } = failing('unavailable', 2);
    await expect(retried(recordingRetry(5, 0), undefined, attempt)).resolves.toBe('done');
    expect(state.callCount).toBe(3);
  });

  it('ends with the last failure once the attempts are used up', async () => {
    const { state, attempt } = failing('unavailable', 10);
    await expect(retried(recordingRetry(3, 0), undefined, attempt)).rejects.toThrow('failure 3');
    expect(state.callCount).toBe(3);
  });

  it('waits twice as long each time, up to a bound, at least half of it', async () => {
    const shortest = recordingRetry(5, 0);
    await expect(retried(shortest, undefined, failing('unavailable', 9).attempt)).rejects.toThrow();
    expect(shortest.delaysMs).toEqual([50, 100, 175, 175]);
    const longest = recordingRetry(5, 1);
    await expect(retried(longest, undefined, failing('unavailable', 9).attempt)).rejects.toThrow();
    expect(longest.delaysMs).toEqual([100, 200, 350, 350]);
  });

  it('is not done again after a failure that stays', async () => {
    const { state, attempt } = failing('not-found', 1);
    await expect(retried(recordingRetry(5, 0), undefined, attempt)).rejects.toThrow('failure 1');
    expect(state.callCount).toBe(1);
  });

  it('is not begun when cancelled already', async () => {
    const { state, attempt } = failing('unavailable', 0);
    await expect(retried(recordingRetry(5, 0), AbortSignal.abort(), attempt)).rejects.toMatchObject(
      { code: 'cancelled' },
    );
    expect(state.callCount).toBe(0);
  });

  it('stops waiting when it is cancelled', async () => {
    const abort = new AbortController();
    const retry = createRetry({ attemptCount: 5, firstDelayMs: 60_000, maxDelayMs: 60_000 });
    const ended = retried(retry, abort.signal, failing('unavailable', 9).attempt);
    setTimeout(() => {
      abort.abort();
    }, 20);
    await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
  });
});
