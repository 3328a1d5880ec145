// The labels of an image as a page carries them: runs of equal labels, each a label's number and a length of 7 bits per
// byte, the lowest first; deflated, in base64. What has too many runs or pages goes as cells instead, so that a page stays
// some megabytes and the reader's browser some hundred.
import { deflateRawSync } from 'node:zlib';
import { type MemoryRegion, pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import { memoryCells, noLabel } from '../../memory-cells.js';

/** 64 GiB: the browser holds a byte for each. */
const pageLimit = 2 ** 24;
const runLimit = 2_000_000;

/** Frames without a hole. */
export interface Span {
  readonly firstPfn: number;
  readonly pageCount: number;
}

export interface EmbeddedLabels {
  /**
   * How many pages a cell stands for. It has their label, or the one that stands for them; `noLabel` where the image holds
   * none of them.
   */
  readonly pagesPerCell: number;
  /** Ascending. Whole cells. */
  readonly spans: readonly Span[];
  readonly runs: string;
}

/** `labels`: one per page, in image order. */
export function embedLabels(regions: readonly MemoryRegion[], labels: Uint8Array): EmbeddedLabels {
  if (labels.length <= pageLimit && countRuns(labels) <= runLimit) {
    const spans = regions.map(({ gpaStart, sizeBytes }) => ({
      firstPfn: gpaStart / pageSizeBytes,
      pageCount: sizeBytes / pageSizeBytes,
    }));
    return { pagesPerCell: 1, spans, runs: encodeRuns(labels) };
  }
  const { columnCount, pagesPerCell, rows } = memoryCells(regions, labels);
  const pagesPerRow = columnCount * pagesPerCell;
  const spans: Span[] = [];
  const cells = new Uint8Array(rows.length * columnCount).fill(noLabel);
  rows.forEach(({ firstPfn, cells: row }, index) => {
    cells.set(row, index * columnCount);
    const last = spans.at(-1);
    if (last !== undefined && last.firstPfn + last.pageCount === firstPfn) {
      spans[spans.length - 1] = { ...last, pageCount: last.pageCount + pagesPerRow };
    } else {
      spans.push({ firstPfn, pageCount: pagesPerRow });
    }
  });
  return { pagesPerCell, spans, runs: encodeRuns(cells) };
}

function countRuns(labels: Uint8Array): number {
  let count = Math.min(labels.length, 1);
  for (let index = 1; index < labels.length; index++) {
    if (labels[index] !== labels[index - 1]) {
      count++;
    }
  }
  return count;
}

function encodeRuns(labels: Uint8Array): string {
  // A length takes at most five bytes of seven bits.
  const bytes = new Uint8Array(countRuns(labels) * 6);
  let size = 0;
  for (let from = 0; from < labels.length;) {
    let end = from + 1;
    while (end < labels.length && labels[end] === labels[from]) {
      end++;
    }
    bytes[size++] = labels[from];
    let length = end - from;
    while (length >= 0x80) {
      bytes[size++] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    bytes[size++] = length;
    from = end;
  }
  return deflateRawSync(bytes.subarray(0, size)).toString('base64');
}
