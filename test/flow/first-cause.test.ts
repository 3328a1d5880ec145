// Of failures that follow from each other, the one to report is the one that the others followed from.

import { ParsError } from '../../introspect/pars-error.js';
import { allOf, firstCause } from '../../src/flow/first-cause.js';

const fulfilled = { status: 'fulfilled', value: 1 } as const;
const rejected = (reason: unknown) => ({ status: 'rejected', reason }) as const;
const stopped = new ParsError('cancelled', 'stopped by the caller');
const aborted = new DOMException('This operation was aborted', 'AbortError');
const full = new ParsError('no-space', 'the disk is full');
const bug = new TypeError('undefined is not a function');

test.each([
  [
    'a full disk, though it failed last',
    [rejected(stopped), rejected(aborted), rejected(full)],
    full,
  ],
  [
    'a failure of the store before a bug that may follow from it',
    [rejected(bug), rejected(full)],
    full,
  ],
  [
    'a bug before those who were stopped',
    [rejected(stopped), rejected(aborted), rejected(bug)],
    bug,
  ],
  ['the stop itself when there is nothing else', [fulfilled, rejected(stopped)], stopped],
  ['nothing when nothing failed', [fulfilled, fulfilled], undefined],
])('reports %s', (_, settled, cause) => {
  expect(firstCause(settled)).toBe(cause);
});

test('makes an error of whatever was thrown', () => {
  expect(firstCause([rejected('just a word')])).toEqual(new Error('just a word'));
});

test('all that work together are waited for, and give what they came to, or the cause of their failures', async () => {
  expect(await allOf([Promise.resolve(1), Promise.resolve('two')])).toEqual([1, 'two']);
  let hasEnded = false;
  const slow = new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => {
    hasEnded = true;
  });
  await expect(allOf([Promise.reject(stopped), slow, Promise.reject(full)])).rejects.toBe(full);
  expect(hasEnded).toBe(true);
});
