// Exit codes are an interface: no number has two meanings, and none changes. test/docs/ holds docs/exit-codes.md to them.

import { errorCodes } from '../../../introspect/pars-error.js';
import { exitCodeOfError, exitCodes } from '../../../src/cli/shared/exit-code.js';

const all = [...Object.values(exitCodes), ...Object.values(exitCodeOfError)].sort((a, b) => a - b);

test('every kind of failure has an exit code of its own', () => {
  expect(Object.keys(exitCodeOfError).sort()).toEqual(Object.keys(errorCodes).sort());
  expect(new Set(all).size).toBe(all.length);
});

test('no exit code can be taken for what a shell or a signal says', () => {
  for (const code of all) {
    const isReserved = code === 126 || code === 127 || (code > 128 && code !== 130) || code > 255;
    expect({ code, isReserved }).toEqual({ code, isReserved: false });
  }
});

test('the codes are those that have been published', () => {
  // A change here breaks scripts: add, never renumber.
  expect({ ...exitCodes, ...exitCodeOfError }).toEqual({
    ok: 0,
    internal: 1,
    usage: 2,
    'image-invalid': 3,
    'not-found': 4,
    'already-exists': 5,
    'permission-denied': 6,
    unavailable: 7,
    'no-space': 8,
    'data-lost': 9,
    corrupt: 10,
    unsupported: 11,
    noKernel: 20,
    inconsistent: 21,
    underReplicated: 22,
    vmFailed: 23,
    cancelled: 130,
  });
});
