// Memory as cells: every page is in one, most of a cell's pages have its label, and there are never too many.
import fc from 'fast-check';
import { labelNumbers, pageClasses } from '../../introspect/page-class.js';
import { memoryCells, noLabel } from '../../src/report/memory-cells.js';

const pageSizeBytes = 4096;
const gib = 2 ** 30;

function oneRegion(labels: Uint8Array, gpaStart = 0) {
  return [{ gpaStart, sizeBytes: labels.length * pageSizeBytes, imageOffset: 0 }];
}

test('a small memory has a cell for each page', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 3000, max: pageClasses.length - 1 }),
      (labels) => {
        const { rows, pagesPerCell } = memoryCells(oneRegion(labels), labels);
        expect(pagesPerCell).toBe(1);
        const cells = rows.flatMap((row) => [...row.cells]);
        expect(cells.slice(0, labels.length)).toEqual([...labels]);
        expect(cells.slice(labels.length).every((cell) => cell === noLabel)).toBe(true);
      },
    ),
  );
});

test('64 GiB with a hole have no more cells than 512 MiB, and rows where the hole is are left out', () => {
  const pageCount = (64 * gib) / pageSizeBytes;
  const regions = [
    { gpaStart: 0, sizeBytes: 2 * gib, imageOffset: 0 },
    { gpaStart: 4 * gib, sizeBytes: 62 * gib, imageOffset: 2 * gib },
  ];
  const labels = new Uint8Array(pageCount).fill(labelNumbers.free);
  labels.fill(labelNumbers.anon, (2 * gib) / pageSizeBytes);
  const { rows, columnCount, pagesPerCell } = memoryCells(regions, labels);
  expect(rows.length * columnCount).toBeLessThanOrEqual(512 * 256);
  const pagesPerRow = columnCount * pagesPerCell;
  expect(rows.length * pagesPerRow).toBe(pageCount);
  const firstHigh = rows.findIndex(({ firstPfn }) => firstPfn >= (2 * gib) / pageSizeBytes);
  expect(rows[firstHigh].firstPfn).toBe((4 * gib) / pageSizeBytes);
  rows.forEach(({ cells }, index) => {
    const label = index < firstHigh ? labelNumbers.free : labelNumbers.anon;
    expect(cells.every((cell) => cell === label)).toBe(true);
  });
});

test('a cell has the label of most of its pages, and in a tie the critical one', () => {
  const labels = new Uint8Array(gib / pageSizeBytes);
  const { free, 'file-reread': reread, anon } = labelNumbers;
  const { pagesPerCell } = memoryCells(oneRegion(labels), labels);
  expect(pagesPerCell).toBe(2);
  labels.set([free, free, free, reread, anon, free, reread, anon]);
  const { rows } = memoryCells(oneRegion(labels), labels);
  expect([...rows[0].cells.subarray(0, 4)]).toEqual([free, free, anon, anon]);
});
