// The rule of the spool: an entry goes only where a newer one of its VM stays, the oldest such first.
import fc from 'fast-check';
import { type BoundedEntry, planBounds } from '../../src/spool/bounds.js';

const nowMs = 1_000_000;
const unlimited = { maxSizeBytes: undefined, maxAgeMs: undefined };
const nothingMore = { nowMs, neededBytes: 0, otherBytes: 0 };

const entryOf = (name: string, vm: string, createdMs: number, sizeBytes = 10): BoundedEntry => ({
  name,
  vm,
  createdMs,
  sizeBytes,
  isInUse: false,
});

const spools = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 4 }),
    vm: fc.constantFrom('a', 'b', 'c'),
    createdMs: fc.integer({ min: 0, max: 30 }),
    sizeBytes: fc.integer({ min: 0, max: 20 }),
    isInUse: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);
const limits = fc.record({
  maxSizeBytes: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
  maxAgeMs: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
});
const moments = fc.record({
  nowMs: fc.integer({ min: 30, max: 60 }),
  neededBytes: fc.integer({ min: 0, max: 60 }),
  otherBytes: fc.integer({ min: 0, max: 30 }),
});

const isBefore = (a: BoundedEntry, b: BoundedEntry): boolean =>
  a.createdMs < b.createdMs || (a.createdMs === b.createdMs && a.name < b.name);

test('whatever the limits, what is dropped has a newer one of its VM that stays, and nobody is sending it', () => {
  fc.assert(
    fc.property(spools, limits, moments, (entries, limit, moment) => {
      const { drops } = planBounds(entries, limit, moment);
      const names = new Set(drops.map(({ name }) => name));
      expect(names.size).toBe(drops.length);
      for (const entry of entries.filter(({ name }) => names.has(name))) {
        expect(entry.isInUse).toBe(false);
        expect(
          entries.some(
            (other) => other.vm === entry.vm && !names.has(other.name) && isBefore(entry, other),
          ),
        ).toBe(true);
      }
    }),
  );
});

test('nothing is dropped for its size while the spool is within its size', () => {
  fc.assert(
    fc.property(spools, limits, moments, (entries, limit, moment) => {
      const { drops, fits } = planBounds(entries, limit, moment);
      const max = limit.maxSizeBytes ?? Infinity;
      const needed = fits ? moment.neededBytes : 0;
      let usedBytes =
        moment.otherBytes + needed + entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      for (const { name, reason } of drops) {
        // What went for its age went before.
        expect(reason === 'age' || usedBytes > max).toBe(true);
        usedBytes -= entries.find((entry) => entry.name === name)?.sizeBytes ?? 0;
      }
      expect(fits).toBe(fits && usedBytes <= max);
    }),
  );
});

test('what could be dropped for its age is, and the oldest goes first for the size', () => {
  fc.assert(
    fc.property(spools, limits, moments, (entries, limit, moment) => {
      const { drops, fits } = planBounds(entries, limit, moment);
      const droppable = entries.filter(
        (entry) =>
          !entry.isInUse &&
          entries.some((other) => other.vm === entry.vm && isBefore(entry, other)),
      );
      const gone = new Set(drops.map(({ name }) => name));
      const left = droppable.filter(({ name }) => !gone.has(name));
      for (const entry of left) {
        expect(moment.nowMs - entry.createdMs).toBeLessThanOrEqual(limit.maxAgeMs ?? Infinity);
        for (const { name, reason } of drops) {
          const dropped = entries.find((candidate) => candidate.name === name);
          expect(reason === 'age' || (dropped !== undefined && isBefore(dropped, entry))).toBe(
            true,
          );
        }
      }
      if (!fits) {
        // Then not even all of them would have made room.
        const kept = entries.filter((entry) => !droppable.includes(entry));
        const keptBytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, moment.otherBytes);
        expect(keptBytes + moment.neededBytes).toBeGreaterThan(limit.maxSizeBytes ?? Infinity);
      }
    }),
  );
});

test('the newest of each VM stays, however old and large', () => {
  const entries = [entryOf('1', 'a', 1, 1000), entryOf('2', 'b', 2, 1000)];
  expect(planBounds(entries, { maxSizeBytes: 10, maxAgeMs: 10 }, nothingMore)).toEqual({
    drops: [],
    fits: false,
  });
});

test('the oldest with a newer one of its VM makes room, not the oldest of all', () => {
  const entries = [entryOf('1', 'a', 1), entryOf('2', 'b', 2), entryOf('3', 'b', 3)];
  const plan = planBounds(
    entries,
    { maxSizeBytes: 30, maxAgeMs: undefined },
    { ...nothingMore, neededBytes: 5 },
  );
  expect(plan).toEqual({ drops: [{ name: '2', reason: 'size' }], fits: true });
});

test('what would not make room enough is not dropped for it', () => {
  const entries = [entryOf('1', 'a', 1), entryOf('2', 'a', 2)];
  const plan = planBounds(
    entries,
    { maxSizeBytes: 30, maxAgeMs: undefined },
    { ...nothingMore, neededBytes: 25 },
  );
  expect(plan).toEqual({ drops: [], fits: false });
});

test('without limits everything stays', () => {
  const entries = [entryOf('1', 'a', 1, 1e15), entryOf('2', 'a', 2, 1e15)];
  expect(planBounds(entries, unlimited, { ...nothingMore, neededBytes: 1e15 })).toEqual({
    drops: [],
    fits: true,
  });
});

test('a newer one of another VM with the same name lets nothing be dropped', () => {
  const entries = [
    { ...entryOf('real', 'web', 1), group: 'web of QEMU' },
    { ...entryOf('file', 'web', 2), group: 'web of a file' },
  ];
  expect(planBounds(entries, { maxSizeBytes: 10, maxAgeMs: 10 }, nothingMore).drops).toEqual([]);
});
