// Numbers, times and tables as people read them: the units are powers of 1024, and what is larger never reads smaller.

import fc from 'fast-check';
import {
  formatBytes,
  formatPercent,
  formatTable,
  formatTime,
} from '../../../src/cli/shared/format.js';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [64 * 2 ** 20, '64.0 MiB'],
  [2 ** 40, '1.0 TiB'],
  [2 ** 60, '1024.0 PiB'],
])('%d bytes read %s', (sizeBytes, text) => {
  expect(formatBytes(sizeBytes)).toBe(text);
});

test('more bytes never read as fewer', () => {
  const exponent = new Map(['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].map((unit, at) => [unit, at]));
  const valueOf = (text: string) => {
    const [number, unit] = text.split(' ');
    return Number(number) * 1024 ** (exponent.get(unit) ?? NaN);
  };
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      expect(valueOf(formatBytes(low))).toBeLessThanOrEqual(valueOf(formatBytes(high)));
    }),
  );
});

test('a share reads in percent with one digit', () => {
  expect(formatPercent(0.4458)).toBe('44.6 %');
  expect(formatPercent(0)).toBe('0.0 %');
});

test('a time is UTC, whatever the zone of the host', () => {
  expect(formatTime(Date.UTC(2026, 10, 21, 2, 3, 4, 567))).toBe('2026-11-21 02:03:04 UTC');
});

test('columns are as wide as their widest cell, and numbers stand to the right', () => {
  const table = formatTable(
    ['name', 'pages'],
    [
      ['a', '5'],
      ['longer', '123456'],
    ],
    ['left', 'right'],
  );
  expect(table).toEqual(['name     pages', 'a            5', 'longer  123456']);
});

test('a table without rows is its header', () => {
  expect(formatTable(['id', 'vm'], [], ['left', 'left'])).toEqual(['id  vm']);
});

test('no line ends in a space', () => {
  expect(formatTable(['id', 'vm'], [['x', '']], ['left', 'left'])).toEqual(['id  vm', 'x']);
});
