// Memory as rows of cells, in ascending frame numbers: how many frames a cell stands for, and which label most of them
// have. The number of cells is bounded, so the picture of a large guest costs no more than that of a small one.
import {
  type MemoryRegion,
  pageSizeBytes,
  type Pfn,
} from '../../introspect/memory/physical-memory.js';
import { pageClasses } from '../../introspect/page-class.js';

const rowLimit = 256;
const columnLimit = 512;
const columnMinimum = 32;

/** In a cell, frames that the image does not hold. */
export const noLabel = 255;

export interface MemoryRow {
  /** The frame of the row's first cell, or its first frame where a cell has several. */
  readonly firstPfn: Pfn;
  /** One label number, or `noLabel`, per cell. */
  readonly cells: Uint8Array;
}

export interface MemoryCells {
  readonly columnCount: number;
  /** A power of two. */
  readonly pagesPerCell: number;
  /** Rows that hold any frame of the image; where numbers are left out lies a hole. */
  readonly rows: readonly MemoryRow[];
}

/** `labels`: one per page, in image order. */
export function memoryCells(regions: readonly MemoryRegion[], labels: Uint8Array): MemoryCells {
  // About twice as wide as high, for few pages as for many.
  const wanted = 2 ** Math.ceil(Math.log2(Math.sqrt(2 * Math.max(labels.length, 1))));
  const columnCount = Math.min(Math.max(wanted, columnMinimum), columnLimit);
  let pagesPerCell = 1;
  while (rowNumbers(regions, columnCount * pagesPerCell).length > rowLimit) {
    pagesPerCell *= 2;
  }
  const pagesPerRow = columnCount * pagesPerCell;
  const rows = rowNumbers(regions, pagesPerRow).map((row) => ({
    firstPfn: row * pagesPerRow,
    cells: rowOfCells(regions, labels, row * pagesPerRow, columnCount, pagesPerCell),
  }));
  return { columnCount, pagesPerCell, rows };
}

/** Stops counting beyond the limit: an image may have many pages and many regions. */
function rowNumbers(regions: readonly MemoryRegion[], pagesPerRow: number): readonly number[] {
  const rows: number[] = [];
  for (const { gpaStart, sizeBytes } of regions) {
    const first = Math.floor(gpaStart / pageSizeBytes / pagesPerRow);
    const last = Math.ceil((gpaStart + sizeBytes) / pageSizeBytes / pagesPerRow);
    for (let row = Math.max(first, (rows.at(-1) ?? -1) + 1); row < last; row++) {
      if (rows.push(row) > rowLimit) {
        return rows;
      }
    }
  }
  return rows;
}

function rowOfCells(
  regions: readonly MemoryRegion[],
  labels: Uint8Array,
  firstPfn: Pfn,
  columnCount: number,
  pagesPerCell: number,
): Uint8Array {
  const cells = new Uint8Array(columnCount);
  const counts = new Uint32Array(noLabel + 1);
  for (let column = 0; column < columnCount; column++) {
    const from = firstPfn + column * pagesPerCell;
    counts.fill(0);
    for (const { gpaStart, sizeBytes, imageOffset } of regionsBetween(
      regions,
      from,
      from + pagesPerCell,
    )) {
      const first = gpaStart / pageSizeBytes;
      const start = Math.max(from, first);
      const end = Math.min(from + pagesPerCell, first + sizeBytes / pageSizeBytes);
      const offset = imageOffset / pageSizeBytes - first;
      for (let pfn = start; pfn < end; pfn++) {
        counts[labels[offset + pfn]]++;
      }
    }
    cells[column] = mostFrequent(counts);
  }
  return cells;
}

function regionsBetween(
  regions: readonly MemoryRegion[],
  from: Pfn,
  to: Pfn,
): readonly MemoryRegion[] {
  return regions.filter(
    ({ gpaStart, sizeBytes }) =>
      gpaStart < to * pageSizeBytes && gpaStart + sizeBytes > from * pageSizeBytes,
  );
}

/** The label with the most frames. Where two have as many, the critical one: a picture should not promise more than is so. */
function mostFrequent(counts: Uint32Array): number {
  let best = noLabel;
  for (const { number, expendable } of pageClasses) {
    const isMore =
      best === noLabel
        ? counts[number] > 0
        : counts[number] > counts[best] ||
          (counts[number] === counts[best] && !expendable && pageClasses[best].expendable);
    if (isMore) {
      best = number;
    }
  }
  return best;
}
