// Ways that succeed, fail or hang as a test says. With real nodes: test/wire-faults.

import { setTimeout as delay } from 'node:timers/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { HedgeBudget, hedged, type HedgeOptions } from '../../../src/store/hdfs/hedged.js';

type Way = (signal: AbortSignal) => Promise<string>;

interface Tried {
  readonly started: number[];
  readonly ended: number[];
}

/** `after` of a way: what it does then. It hangs until its signal, where that comes first. */
function waysOf(
  behaviours: readonly { readonly afterMs: number; readonly error?: Error }[],
): Tried & { readonly ways: readonly Way[] } {
  const started: number[] = [];
  const ended: number[] = [];
  const ways = behaviours.map(({ afterMs, error }, index) => async (signal: AbortSignal) => {
    started.push(index);
    try {
      await delay(afterMs, undefined, { signal }).catch(() => {
        throw new ParsError('cancelled', 'ended');
      });
    } finally {
      ended.push(index);
    }
    if (error !== undefined) {
      throw error;
    }
    return `way ${index}`;
  });
  return { ways, started, ended };
}

const never = { afterMs: 100_000 };
const refused = (afterMs: number) => ({ afterMs, error: new ParsError('unavailable', 'refused') });

function optionsOf(changes: Partial<HedgeOptions> = {}): HedgeOptions & { slow: number[] } {
  const slow: number[] = [];
  const onSlow = (index: number): void => {
    slow.push(index);
  };
  return { budget: new HedgeBudget(8), slowMs: 40, onSlow, signal: undefined, slow, ...changes };
}

test('the first alone is taken where it is in time', async () => {
  const { ways, started } = waysOf([{ afterMs: 5 }, { afterMs: 0 }]);
  const options = optionsOf({ slowMs: 5_000 });
  expect(await hedged(ways, options)).toEqual({ value: 'way 0' });
  expect(started).toEqual([0]);
  expect(options.slow).toEqual([]);
});

test('a second is tried beside one that hangs, and the first has ended when it is over', async () => {
  const { ways, started, ended } = waysOf([never, { afterMs: 5 }, { afterMs: 0 }]);
  const options = optionsOf();
  expect(await hedged(ways, options)).toEqual({ value: 'way 1' });
  expect(started).toEqual([0, 1]);
  expect([...ended].sort()).toEqual([0, 1]);
  expect(options.slow).toEqual([0]);
});

test('the first may still win', async () => {
  const { ways, ended } = waysOf([{ afterMs: 80 }, never]);
  expect(await hedged(ways, optionsOf())).toEqual({ value: 'way 0' });
  expect([...ended].sort()).toEqual([0, 1]);
});

test('of several that hang each is passed over in its turn', async () => {
  const { ways } = waysOf([never, never, { afterMs: 0 }]);
  const options = optionsOf();
  expect(await hedged(ways, options)).toEqual({ value: 'way 2' });
  expect(options.slow).toEqual([0, 0, 1]);
});

test('one that fails is followed by the next at once', async () => {
  const { ways, started } = waysOf([refused(0), refused(0), { afterMs: 0 }]);
  const options = optionsOf({ slowMs: 60_000 });
  expect(await hedged(ways, options)).toEqual({ value: 'way 2' });
  expect(started).toEqual([0, 1, 2]);
});

test('where all fail each reason is given', async () => {
  const { ways } = waysOf([refused(60), refused(0), refused(0)]);
  const read = await hedged(ways, optionsOf());
  expect('failures' in read ? read.failures.map(({ code }) => code) : read).toEqual([
    'unavailable',
    'unavailable',
    'unavailable',
  ]);
});

test('without any way there is nothing to wait for', async () => {
  expect(await hedged([], optionsOf())).toEqual({ failures: [] });
});

test('an error that is nobody’s answer is thrown, and the rest is ended', async () => {
  const bug = new Error('a bug');
  const { ways, ended } = waysOf([never, { afterMs: 0, error: bug }]);
  await expect(hedged(ways, optionsOf())).rejects.toBe(bug);
  expect([...ended].sort()).toEqual([0, 1]);
});

test('the caller’s abort ends all at once', async () => {
  const abort = new AbortController();
  const { ways, ended } = waysOf([never, never]);
  const reading = hedged(ways, optionsOf({ signal: abort.signal }));
  setTimeout(() => {
    abort.abort();
  }, 60);
  await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
  expect([...ended].sort()).toEqual([0, 1]);
});

test('beyond the budget nobody is asked twice, and what was taken of it is given back', async () => {
  const budget = new HedgeBudget(1);
  const first = waysOf([never, { afterMs: 60 }]);
  const second = waysOf([{ afterMs: 70 }, { afterMs: 0 }]);
  const results = await Promise.all([
    hedged(first.ways, optionsOf({ budget })),
    hedged(second.ways, optionsOf({ budget })),
  ]);
  expect(results).toEqual([{ value: 'way 1' }, { value: 'way 0' }]);
  expect(second.started).toEqual([0]);
  const third = waysOf([never, { afterMs: 0 }]);
  expect(await hedged(third.ways, optionsOf({ budget }))).toEqual({ value: 'way 1' });
});
