// docs/evidence/kernels.md is written by a long run, so what can be checked of it in a moment is: that it lists the matrix,
// all of it and nothing else, and that every row passed.
import { debianCases, matrixCases } from './cases.js';
import { identityCells, readSupportTable } from './support-table.js';

const identityCellCount = 5;

test('kernels.md has a row for each guest of the matrix, in its order, and each passed', () => {
  const rows = readSupportTable();
  expect(rows.map((cells) => cells.slice(1, 1 + identityCellCount))).toEqual(
    matrixCases.map(identityCells),
  );
  rows.forEach(([release, ...cells], index) => {
    expect(release.startsWith(matrixCases[index].series)).toBe(true);
    expect(cells[identityCellCount]).toBe('pass');
  });
});

test.each(['vcpuCount', 'pagingLevels', 'ramSizeMib', 'workload', 'flavour'] as const)(
  'every kernel of Debian meets every %s that it can',
  (column) => {
    const values = new Set(debianCases.map((entry) => entry[column]));
    for (const series of new Set(debianCases.map((entry) => entry.series))) {
      const met = debianCases.filter((entry) => entry.series === series);
      const missing = [...values].filter((value) => met.every((entry) => entry[column] !== value));
      expect(missing).toEqual(series === '5.10.' && column === 'pagingLevels' ? [5] : []);
    }
  },
);
