// What a rule keeps: by examples from the calendar, and by what must hold for every rule and every history.

import * as fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import {
  type DatedSnapshot,
  type KeepReason,
  planRetention,
  type RetentionRule,
} from '../../src/catalog/retention.js';

const longAfterMs = Date.UTC(2100, 0, 1);

/** Snapshots of one VM, each called by its time. */
function history(...times: readonly string[]): readonly DatedSnapshot[] {
  return times.map((time) => ({ id: time, vm: 'vm', createdMs: Date.parse(time) }));
}

/** The times of those kept, oldest first. */
function kept(
  snapshots: readonly DatedSnapshot[],
  rule: RetentionRule,
  timeZone = 'UTC',
): readonly string[] {
  return planRetention(snapshots, rule, { nowMs: longAfterMs, timeZone })
    .filter(({ keptFor }) => keptFor.length > 0)
    .map(({ snapshot }) => snapshot.id);
}

describe('a rule keeps', () => {
  test('the newest of each day, and days without a snapshot do not count', () => {
    const snapshots = history(
      '2024-01-01T10:00Z',
      '2024-01-05T08:00Z',
      '2024-01-05T23:59Z',
      '2024-03-01T00:00Z',
    );
    expect(kept(snapshots, { keepDaily: 2 })).toEqual(['2024-01-05T23:59Z', '2024-03-01T00:00Z']);
    expect(kept(snapshots, { keepDaily: 9 })).toHaveLength(3);
  });

  test('weeks from Monday to Sunday, also over the turn of a year', () => {
    // Week 1 of 2025 begins on Monday, 30 December 2024.
    const snapshots = history(
      '2024-12-29T12:00Z',
      '2024-12-30T00:00Z',
      '2025-01-05T23:59Z',
      '2025-01-06T00:00Z',
    );
    expect(kept(snapshots, { keepWeekly: 3 })).toEqual([
      '2024-12-29T12:00Z',
      '2025-01-05T23:59Z',
      '2025-01-06T00:00Z',
    ]);
  });

  test('the same month of two years as two months', () => {
    const snapshots = history('2023-05-31T12:00Z', '2024-05-01T12:00Z', '2024-05-31T12:00Z');
    expect(kept(snapshots, { keepMonthly: 2 })).toEqual(['2023-05-31T12:00Z', '2024-05-31T12:00Z']);
  });

  test('days of the time zone, not those of UTC', () => {
    const snapshots = history('2024-06-01T21:30Z', '2024-06-01T22:30Z');
    expect(kept(snapshots, { keepDaily: 2 })).toEqual(['2024-06-01T22:30Z']);
    expect(kept(snapshots, { keepDaily: 2 }, 'Europe/Berlin')).toHaveLength(2);
  });

  test('both hours that one clock time has when summer time ends', () => {
    // 02:30 in Berlin, twice; and the hour before them.
    const snapshots = history('2024-10-26T23:30Z', '2024-10-27T00:30Z', '2024-10-27T01:30Z');
    expect(kept(snapshots, { keepHourly: 3 }, 'Europe/Berlin')).toHaveLength(3);
    expect(kept(snapshots, { keepDaily: 3 }, 'Europe/Berlin')).toEqual(['2024-10-27T01:30Z']);
  });

  test('hours as a zone has them that is half an hour off', () => {
    const snapshots = history('2024-06-01T10:20Z', '2024-06-01T10:40Z');
    expect(kept(snapshots, { keepHourly: 2 })).toHaveLength(1);
    expect(kept(snapshots, { keepHourly: 2 }, 'Asia/Kolkata')).toHaveLength(2);
  });

  test('a snapshot for every reason that it has, and says which', () => {
    const snapshots = history('2024-01-01T10:00Z', '2024-01-02T10:00Z', '2024-01-02T11:00Z');
    const decisions = planRetention(
      snapshots,
      { keepLast: 1, keepHourly: 2, keepDaily: 2, keepMonthly: 5 },
      { nowMs: longAfterMs, timeZone: 'UTC' },
    );
    expect(decisions.map(({ keptFor }) => keptFor)).toEqual([
      ['daily'],
      ['hourly'],
      ['last', 'hourly', 'daily', 'monthly'],
    ]);
  });

  test('each VM by itself', () => {
    const snapshots = ['a', 'b', 'a'].map((vm, index) => ({
      id: `${index}`,
      vm,
      createdMs: index,
    }));
    expect(kept(snapshots, { keepLast: 1 })).toEqual(['2', '1']);
  });

  test('what is dated in the future, and gives it no place of the others', () => {
    const snapshots = history('2024-01-01T10:00Z', '2024-01-02T10:00Z', '2024-01-09T10:00Z');
    const decisions = planRetention(
      snapshots,
      { keepLast: 1 },
      { nowMs: Date.parse('2024-01-03T00:00Z'), timeZone: 'UTC' },
    );
    expect(decisions.map(({ keptFor }) => keptFor)).toEqual([[], ['last'], ['future']]);
  });
});

test.each<RetentionRule>([
  {},
  { keepDaily: 0 },
  { keepLast: 0, keepMonthly: undefined },
  { keepLast: -1 },
  { keepDaily: 1.5, keepLast: 1 },
  { keepDaily: NaN },
])('%j is refused, also where there is no snapshot', (rule) => {
  expect(() => planRetention([], rule, { nowMs: 0 })).toThrow(ParsError);
});

const counts = fc.option(fc.nat(6), { nil: undefined });
const rules = fc
  .record({
    keepLast: counts,
    keepHourly: counts,
    keepDaily: counts,
    keepWeekly: counts,
    keepMonthly: counts,
  })
  .filter((rule) => Object.values(rule).some((count) => count !== undefined && count > 0));
const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata');
/** Close together and far apart, over the changes of the clock. */
const times = fc.oneof(
  fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2024, 1) }),
  fc.integer({ min: Date.UTC(2024, 9, 26), max: Date.UTC(2024, 9, 29) }),
  fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2030, 0) }),
);
const histories = fc
  .array(fc.record({ vm: fc.constantFrom('a', 'b'), createdMs: times }), { maxLength: 40 })
  .map((entries) => entries.map((entry, index): DatedSnapshot => ({ ...entry, id: `${index}` })));

const optionOf = {
  last: 'keepLast',
  hourly: 'keepHourly',
  daily: 'keepDaily',
  weekly: 'keepWeekly',
  monthly: 'keepMonthly',
} as const;

/** As a calendar on the wall has them; Intl speaks them in other words than the code under test asks for. */
function periodsOf(timeZone: string) {
  const written = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('sv-SE', { ...options, timeZone });
  const day = written({ dateStyle: 'short' });
  const hour = written({ dateStyle: 'short', timeStyle: 'long' });
  return {
    last: ({ id }: DatedSnapshot) => id,
    hourly: ({ createdMs }: DatedSnapshot) => hour.format(createdMs).replace(/:\d\d:\d\d/, ''),
    daily: ({ createdMs }: DatedSnapshot) => day.format(createdMs),
    weekly: ({ createdMs }: DatedSnapshot) => {
      const monday = new Date(`${day.format(createdMs)}T00:00Z`);
      while (monday.getUTCDay() !== 1) {
        monday.setUTCDate(monday.getUTCDate() - 1);
      }
      return monday.toISOString();
    },
    monthly: ({ createdMs }: DatedSnapshot) => day.format(createdMs).slice(0, 7),
  } as const;
}

describe('whatever the rule and the history', () => {
  test('every reason is given to the newest of as many periods as there are, up to its count', () => {
    fc.assert(
      fc.property(histories, rules, zones, (snapshots, rule, timeZone) => {
        const decisions = planRetention(snapshots, rule, { nowMs: longAfterMs, timeZone });
        const periods = periodsOf(timeZone);
        for (const vm of ['a', 'b']) {
          const ofVm = snapshots.filter((snapshot) => snapshot.vm === vm);
          for (const reason of Object.keys(optionOf) as (keyof typeof optionOf)[]) {
            const newest = new Map<string, number>();
            for (const snapshot of ofVm) {
              const period = periods[reason](snapshot);
              newest.set(period, Math.max(newest.get(period) ?? 0, snapshot.createdMs));
            }
            const expected = [...newest.values()]
              .sort((a, b) => b - a)
              .slice(0, rule[optionOf[reason]] ?? 0);
            const found = decisions
              .filter(({ snapshot, keptFor }) => snapshot.vm === vm && keptFor.includes(reason))
              .map(({ snapshot }) => snapshot.createdMs)
              .sort((a, b) => b - a);
            expect(found).toEqual(expected);
          }
        }
      }),
    );
  });

  test('each snapshot gets one decision, and the newest of a VM is kept', () => {
    fc.assert(
      fc.property(histories, rules, times, (snapshots, rule, nowMs) => {
        const decisions = planRetention(snapshots, rule, { nowMs });
        expect(decisions.map(({ snapshot }) => snapshot.id).sort()).toEqual(
          snapshots.map(({ id }) => id).sort(),
        );
        for (const vm of ['a', 'b']) {
          const ofVm = decisions.filter(({ snapshot }) => snapshot.vm === vm);
          if (ofVm.length > 0) {
            expect(ofVm.at(-1)?.keptFor).not.toEqual([]);
          }
        }
      }),
    );
  });

  test('a second run with the same rule removes nothing', () => {
    fc.assert(
      fc.property(histories, rules, zones, (snapshots, rule, timeZone) => {
        const moment = { nowMs: longAfterMs, timeZone };
        const left = planRetention(snapshots, rule, moment)
          .filter(({ keptFor }) => keptFor.length > 0)
          .map(({ snapshot }) => snapshot);
        const again = planRetention(left, rule, moment);
        expect(again.filter(({ keptFor }) => keptFor.length === 0)).toEqual([]);
      }),
    );
  });

  test('the order of the list does not matter', () => {
    fc.assert(
      fc.property(histories, rules, (snapshots, rule) => {
        const moment = { nowMs: longAfterMs, timeZone: 'UTC' };
        expect(planRetention([...snapshots].reverse(), rule, moment)).toEqual(
          planRetention(snapshots, rule, moment),
        );
      }),
    );
  });

  test('only what is dated in the future is kept for that', () => {
    fc.assert(
      fc.property(histories, rules, times, (snapshots, rule, nowMs) => {
        const future: KeepReason = 'future';
        for (const { snapshot, keptFor } of planRetention(snapshots, rule, { nowMs })) {
          expect(keptFor.includes(future)).toBe(snapshot.createdMs > nowMs);
        }
      }),
    );
  });
});
