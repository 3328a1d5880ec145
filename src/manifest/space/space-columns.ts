// Columns of a space as files have them, to typed arrays.
import type { LabelRuns } from '../types.js';
import { columnOfBytes } from './columns.js';

/** Gives a column back when it has that many bytes, and throws otherwise. */
export type SizedColumn = (column: Uint8Array, field: string, sizeBytes: number) => Uint8Array;

/** `place`: before the column's name in the sentence; `fail`: what to throw for a sentence. */
export function sizedColumns(place: string, fail: (problem: string) => Error): SizedColumn {
  return (column, field, sizeBytes) => {
    if (column.length !== sizeBytes) {
      throw fail(`${place}${field} takes ${column.length} bytes, expected ${sizeBytes}`);
    }
    return column;
  };
}

/** `label` stays a view of the record's. */
export function labelRunsOf(
  record: { readonly label: Uint8Array; readonly pageCount: Uint8Array },
  runCount: number,
  sized: SizedColumn,
): LabelRuns {
  const pageCount = columnOfBytes(sized(record.pageCount, 'labelRuns.pageCount', runCount * 4));
  return {
    label: sized(record.label, 'labelRuns.label', runCount),
    firstPage: firstPages(pageCount),
    pageCount,
  };
}

/** Running sums. One that does not fit 32 bits wraps here and is found by the check that runs cover the space exactly. */
function firstPages(pageCount: Uint32Array): Uint32Array {
  const first = new Uint32Array(pageCount.length);
  for (let run = 1; run < first.length; run++) {
    first[run] = first[run - 1] + pageCount[run - 1];
  }
  return first;
}
