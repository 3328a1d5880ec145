// As many rows as a store may have, and numbers that somebody else wrote.
import { formatLines, formatTable } from '../../src/cli/shared/format.js';
import { largestOf, smallestOf } from '../../src/flow/largest.js';

test('200,000 rows make a table, and as many names lines', () => {
  const rows = Array.from({ length: 200_000 }, (_, index) => [`${index}`, 'x']);
  const lines = formatTable(['id', 'what'], rows, ['right', 'left']);
  expect(lines).toHaveLength(200_001);
  expect(lines[1]).toBe('     0  x');
  expect(formatLines(rows.map(([id, what]) => [id, what]))).toHaveLength(200_000);
});

test('the largest and the smallest of many, of one and of none', () => {
  const many = Float64Array.from({ length: 300_000 }, (_, index) => index);
  expect([largestOf(many), smallestOf(many)]).toEqual([299_999, 0]);
  expect([largestOf([-3]), smallestOf([-3])]).toEqual([-3, -3]);
  expect([largestOf([]), smallestOf([])]).toEqual([-Infinity, Infinity]);
});
