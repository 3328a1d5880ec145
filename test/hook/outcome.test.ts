// What an end means, how long to wait, and whose turn it is: the pure parts of sending.
import fc from 'fast-check';
import { exitMeaning } from '../../src/cli/hook/open.js';
import { ruleArguments } from '../../src/hook/send/apply-retention.js';
import { dueEntry } from '../../src/hook/send/due-entries.js';
import { outcomeOf, retryDelayMs } from '../../src/hook/upload-outcome.js';
import { noAttempts } from '../../src/spool/attempts.js';

test.each([
  [0, 'stored'],
  [20, 'stored'],
  [21, 'stored'],
  [22, 'stored'],
  [7, 'away'],
  [8, 'away'],
  [130, 'later'],
  [1, 'failed'],
  [2, 'failed'],
  [3, 'failed'],
  [23, 'failed'],
] as const)('exit code %d: %s', (exitCode, outcome) => {
  expect(outcomeOf({ exitCode, signal: undefined, timedOut: false }, exitMeaning)).toBe(outcome);
});

test('a signal or the time limit means later, unless it was stored all the same', () => {
  const killed = { exitCode: undefined, signal: 'SIGKILL', timedOut: false };
  expect(outcomeOf(killed, exitMeaning)).toBe('later');
  expect(outcomeOf({ exitCode: 7, signal: undefined, timedOut: true }, exitMeaning)).toBe('later');
  expect(outcomeOf({ exitCode: 0, signal: undefined, timedOut: true }, exitMeaning)).toBe('stored');
});

test('the wait grows with the attempts, from a minute to an hour', () => {
  expect(retryDelayMs(1)).toBe(60_000);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (count) => {
      expect(retryDelayMs(count + 1)).toBeGreaterThanOrEqual(retryDelayMs(count));
      expect(retryDelayMs(count)).toBeLessThanOrEqual(3_600_000);
    }),
  );
});

test('an entry that waits holds up those after it, one that failed does not', () => {
  const entry = (name: string, changes = {}) => ({
    name,
    vm: 'web',
    attempts: { ...noAttempts, ...changes },
  });
  const rule = { nowMs: 100, retryFailed: false, ignoresBackOff: false };
  const failed = entry('1', { state: 'failed', nextMs: 200 });
  const waiting = entry('2', { nextMs: 200 });
  const fresh = entry('3');
  const none = new Set<string>();
  expect(dueEntry([failed, fresh], 'web', none, rule)).toBe(fresh);
  expect(dueEntry([failed, waiting, fresh], 'web', none, rule)).toBeUndefined();
  expect(dueEntry([waiting, fresh], 'web', none, { ...rule, ignoresBackOff: true })).toBe(waiting);
  expect(dueEntry([failed, fresh], 'web', none, { ...rule, retryFailed: true })).toBe(failed);
  expect(dueEntry([failed, fresh], 'web', none, { ...rule, nowMs: 200 })).toBe(failed);
  expect(dueEntry([waiting], 'web', none, { ...rule, nowMs: 200 })).toBe(waiting);
  expect(dueEntry([fresh], 'web', new Set(['3']), rule)).toBeUndefined();
  expect(dueEntry([fresh], 'db', none, rule)).toBeUndefined();
});

test('a retention rule becomes the options of pars forget', () => {
  const rule = { keepLast: 1, keepHourly: 2, keepDaily: 3, keepWeekly: 4, keepMonthly: 5 };
  expect(ruleArguments(rule).join(' ')).toBe(
    '--keep-last 1 --keep-hourly 2 --keep-daily 3 --keep-weekly 4 --keep-monthly 5',
  );
});

test('a VM is not held up by another one of its name', () => {
  const waiting = { name: '1', vm: 'web', group: 'a', attempts: { ...noAttempts, nextMs: 200 } };
  const fresh = { name: '2', vm: 'web', group: 'b', attempts: noAttempts };
  const rule = { nowMs: 100, retryFailed: false, ignoresBackOff: false };
  expect(dueEntry([waiting, fresh], 'web', new Set(), rule)).toBe(fresh);
});
