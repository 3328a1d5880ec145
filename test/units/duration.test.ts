// Durations as configuration files have them.

import { parseDuration } from '../../src/units/duration.js';

test.each([
  ['90s', 90_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  ['1.5h', 5_400_000],
  ['0s', 0],
  ['24', undefined],
  ['', undefined],
  ['-1h', undefined],
  ['1h30m', undefined],
  ['1 h', undefined],
  ['1H', undefined],
  ['h', undefined],
  ['9999999999d', undefined],
])('%j', (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs);
});
