// Bandwidth on the command line.

import { ParsError } from '../../../../introspect/pars-error.js';
import { parseBandwidth } from '../../../../src/cli/shared/options/parse-bandwidth.js';

test.each([
  ['50M', 50 * 2 ** 20],
  ['1.5G', 1.5 * 2 ** 30],
  ['800k', 800 * 2 ** 10],
  ['100000', 100_000],
])('%s', (text, bytesPerSecond) => {
  expect(parseBandwidth(text)).toBe(bytesPerSecond);
});

test.each(['', '0', '-5M', '8191', '50MB', '50M/s', 'fast', '99999999999999999999G'])(
  '%j is none',
  (text) => {
    expect(() => parseBandwidth(text)).toThrow(ParsError);
    expect(() => parseBandwidth(text)).toThrow(/is no bandwidth: expected .* such as 50M/);
  },
);
