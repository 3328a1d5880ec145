// A disk's data in, runs of pages with their replication out. Pure.
//
// Whole windows are stored or left out: what is no data within them is dropped as pages of zeroes when they are read, and
// the number of runs stays bounded however broken up the disk is.
import type { DataRun } from '../../introspect/memory/file-holes.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { windowPageCount } from '../pack/types.js';
import type { PageRedundancy } from './policy.js';
import { PlanNumbers, type ReplicationPlan } from './replication-plan.js';

const windowSizeBytes = windowPageCount * pageSizeBytes;

/** `dataAt` gives the first data at or after an offset, undefined when only holes are left. */
export function planDisk(
  sizeBytes: number,
  redundancy: PageRedundancy,
  dataAt: (offset: number) => DataRun | undefined,
): ReplicationPlan {
  const pageCount = Math.ceil(sizeBytes / pageSizeBytes);
  /** Where data begins, ends, begins again: pages, ascending. */
  const bounds: number[] = [];
  for (let offset = 0; offset < sizeBytes;) {
    const data = dataAt(offset);
    if (data === undefined) {
      break;
    }
    const start = Math.floor(data.startOffset / windowSizeBytes);
    const end = Math.ceil(data.endOffset / windowSizeBytes);
    if (bounds.at(-1) === start * windowPageCount) {
      bounds.pop();
    } else {
      bounds.push(start * windowPageCount);
    }
    bounds.push(Math.min(end * windowPageCount, pageCount));
    offset = end * windowSizeBytes;
  }
  const numbers = new PlanNumbers();
  return { ...planOfBounds(pageCount, bounds, numbers.of(redundancy)), ...numbers.codes };
}

/** Bytes of the pages that are stored, before pages of zeroes fall out. One copy. */
export function plannedDiskBytes({ runPageCount, replication }: ReplicationPlan): number {
  return runPageCount.reduce(
    (sum, count, run) => (replication[run] === 0 ? sum : sum + count * pageSizeBytes),
    0,
  );
}

function planOfBounds(
  pageCount: number,
  bounds: readonly number[],
  replication: number,
): ReplicationPlan {
  const isDataFirst = bounds[0] === 0;
  const edges = [...(isDataFirst ? [] : [0]), ...bounds];
  const firstPage = Uint32Array.from(edges.filter((page) => page < pageCount));
  return {
    pageCount,
    firstPage,
    runPageCount: firstPage.map((first, run) => (firstPage[run + 1] ?? pageCount) - first),
    label: new Uint8Array(firstPage.length).fill(labelNumbers.disk),
    replication: Uint8Array.from(firstPage, (_, run) =>
      (run % 2 === 0) === isDataFirst ? replication : 0,
    ),
  };
}
