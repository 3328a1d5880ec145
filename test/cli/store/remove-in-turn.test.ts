// Several removals of which some fail or are not come to, and the exit code that tells.

import { ParsError } from '../../../introspect/pars-error.js';
import { exitCodeOfError, exitCodes } from '../../../src/cli/shared/exit-code.js';
import { exitCodeOfRemovals, removeInTurn } from '../../../src/cli/store/remove-in-turn.js';

const items = ['a', 'b', 'c'].map((id) => ({ id }));
const never = new AbortController().signal;

async function outcomesOf(
  remove: (id: string) => void,
  signal: AbortSignal = never,
): Promise<readonly [outcomes: readonly string[], exitCode: number]> {
  const removals = await removeInTurn(
    items,
    ({ id }) => {
      remove(id);
      return Promise.resolve('removed');
    },
    signal,
  );
  expect(removals.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  return [removals.map(({ outcome }) => outcome), exitCodeOfRemovals(removals, signal)];
}

test('all go in their order', async () => {
  const removed: string[] = [];
  const outcome = await outcomesOf((id) => removed.push(id));
  expect(outcome).toEqual([['removed', 'removed', 'removed'], exitCodes.ok]);
  expect(removed).toEqual(['a', 'b', 'c']);
});

test('one that fails ends none of the others, and gives the exit code', async () => {
  const outcome = await outcomesOf((id) => {
    if (id === 'a') {
      throw new ParsError('permission-denied', 'not yours');
    }
    if (id === 'c') {
      throw new ParsError('corrupt', 'not well');
    }
  });
  expect(outcome).toEqual([['failed', 'removed', 'failed'], exitCodeOfError['permission-denied']]);
});

test('a store that is away is not asked again for each', async () => {
  const outcome = await outcomesOf((id) => {
    if (id === 'b') {
      throw new ParsError('unavailable', 'no answer');
    }
  });
  expect(outcome).toEqual([['removed', 'failed', 'not-tried'], exitCodeOfError.unavailable]);
});

test('Ctrl-C lets the one under way end, and is told', async () => {
  const abort = new AbortController();
  const outcome = await outcomesOf((id) => {
    if (id === 'b') {
      abort.abort();
    }
  }, abort.signal);
  expect(outcome).toEqual([['removed', 'removed', 'not-tried'], exitCodeOfError.cancelled]);
});

test('Ctrl-C amid the last of them has nothing left to stop', async () => {
  const abort = new AbortController();
  const [, exitCode] = await outcomesOf((id) => {
    if (id === 'c') {
      abort.abort();
    }
  }, abort.signal);
  expect(exitCode).toBe(exitCodes.ok);
});

test('a defect is not taken for a failure of the store', async () => {
  const act = outcomesOf(() => {
    throw new TypeError('a defect');
  });
  await expect(act).rejects.toBeInstanceOf(TypeError);
});
