// Slots keep what is in flight below their number, serve everyone, and in the order of asking.

import fc from 'fast-check';
import { type SharedBytes, SharedSlots } from '../../src/flow/shared-slots.js';

/** Lets everything go on that can. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('whoever takes and gives in whatever order: never more than there are, everyone served, first come first', async () => {
  const order = fc.infiniteStream(fc.nat());
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 30 }),
      order,
      async (slotCount, takerCount, choices) => {
        const slots = new SharedSlots(slotCount, 8);
        const held: SharedBytes[] = [];
        const served: number[] = [];
        const waits = Array.from({ length: takerCount }, async (_, index) => {
          held.push(await slots.take());
          served.push(index);
        });
        while (served.length < takerCount || held.length > 0) {
          await settle();
          expect(held.length).toBeLessThanOrEqual(slotCount);
          // No two hold one memory.
          expect(new Set(held.map(({ buffer }) => buffer)).size).toBe(held.length);
          // Somebody must be served, or it would stop here for ever.
          expect(held.length).toBeGreaterThan(0);
          const [choice] = choices.take(1);
          const [given] = held.splice(choice % held.length, 1);
          slots.give(given);
        }
        await Promise.all(waits);
        expect(served).toEqual(Array.from({ length: takerCount }, (_, index) => index));
      },
    ),
  );
});

test('taking without waiting gets a slot that is free, and none that others wait for', async () => {
  const slots = new SharedSlots(2, 16);
  const first = await slots.take();
  const second = await slots.take();
  expect(first.length).toBe(16);
  expect(second.buffer).not.toBe(first.buffer);
  expect(slots.tryTake()).toBeUndefined();
  let served: SharedBytes | undefined;
  const waiting = slots.take().then((slot) => (served = slot));
  slots.give(first);
  expect(slots.tryTake()).toBeUndefined();
  await waiting;
  expect(served).toBe(first);
  slots.give(second);
  expect(slots.tryTake()).toBe(second);
});
