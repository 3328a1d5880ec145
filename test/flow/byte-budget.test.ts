// A budget keeps what is in flight below its limit, serves everyone, and in the order of asking.

import fc from 'fast-check';
import { ByteBudget } from '../../src/flow/byte-budget.js';

const limitBytes = 100;

/** Lets everything go on that can. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('whoever takes and gives in whatever order: never over the limit, everyone served, first come first', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 130 }), { minLength: 1, maxLength: 30 });
  const order = fc.infiniteStream(fc.nat());
  await fc.assert(
    fc.asyncProperty(sizes, order, async (pieces, choices) => {
      const budget = new ByteBudget(limitBytes);
      const held: number[] = [];
      const served: number[] = [];
      const waits = pieces.map(async (sizeBytes, index) => {
        await budget.take(sizeBytes);
        held.push(sizeBytes);
        served.push(index);
      });
      while (served.length < pieces.length || held.length > 0) {
        await settle();
        const inFlight = held.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
        // A piece that is larger than the budget is let in, but alone.
        expect(inFlight <= limitBytes || held.length === 1).toBe(true);
        // Somebody must be served, or it would stop here for ever.
        expect(held.length).toBeGreaterThan(0);
        const [choice] = choices.take(1);
        const [given] = held.splice(choice % held.length, 1);
        budget.give(given);
      }
      await Promise.all(waits);
      expect(served).toEqual(pieces.map((_, index) => index));
    }),
  );
});

test('a small piece does not overtake a large one that waits', async () => {
  const budget = new ByteBudget(limitBytes);
  await budget.take(60);
  const served: string[] = [];
  const large = budget.take(80).then(() => served.push('large'));
  const small = budget.take(10).then(() => served.push('small'));
  await settle();
  expect(served).toEqual([]);
  expect(budget.tryTake(10)).toBe(false);
  budget.give(60);
  await Promise.all([large, small]);
  expect(served).toEqual(['large', 'small']);
});

test('taking without waiting takes all or nothing', async () => {
  const budget = new ByteBudget(limitBytes);
  expect(budget.tryTake(70)).toBe(true);
  expect(budget.tryTake(40)).toBe(false);
  expect(budget.tryTake(30)).toBe(true);
  expect(budget.tryTake(1)).toBe(false);
  budget.give(100);
  expect(budget.tryTake(1000)).toBe(true);
  let isServed = false;
  const waiting = budget.take(1).then(() => (isServed = true));
  await settle();
  expect(isServed).toBe(false);
  budget.give(1000);
  await waiting;
});
