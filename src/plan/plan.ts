// Labels and policy in, runs of pages with their replication out. A guest of 64 GiB has 16 million labels, so both
// passes walk the typed array and nothing is made per page: the first counts the runs, the second fills the columns.
import type { PageMap } from '../../introspect/label/page-map.js';
import { pageClasses } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import type { Policy } from './policy.js';
import { PlanNumbers, type ReplicationPlan } from './replication-plan.js';

/** Beyond every replication. */
const noSuchLabel = 255;

/** Plans every page of the map. Throws `unsupported` for a label number that page-class.ts does not list. */
export function planReplication(map: Pick<PageMap, 'labels'>, policy: Policy): ReplicationPlan {
  const { labels } = map;
  const pageCount = labels.length;
  const runCount = countRuns(labels);
  const firstPage = new Uint32Array(runCount);
  const runPageCount = new Uint32Array(runCount);
  const label = new Uint8Array(runCount);
  const replication = new Uint8Array(runCount);

  let first = 0;
  for (let run = 0; run < runCount; run++) {
    const number = labels[first];
    let end = first + 1;
    while (end < pageCount && labels[end] === number) {
      end++;
    }
    firstPage[run] = first;
    runPageCount[run] = end - first;
    label[run] = number;
    first = end;
  }

  const numbers = new PlanNumbers();
  const byLabel = replicationByLabel(policy, numbers);
  for (let run = 0; run < runCount; run++) {
    replication[run] = byLabel[label[run]];
    if (replication[run] === noSuchLabel) {
      throw new ParsError(
        'unsupported',
        `page ${firstPage[run]} has label number ${label[run]}, known are 0 to ${pageClasses.length - 1}; ` +
          'the labels were made by a newer program',
      );
    }
  }
  return { pageCount, firstPage, runPageCount, label, replication, ...numbers.codes };
}

function countRuns(labels: Uint8Array): number {
  if (labels.length === 0) {
    return 0;
  }
  let runCount = 1;
  for (let page = 1; page < labels.length; page++) {
    if (labels[page] !== labels[page - 1]) {
      runCount++;
    }
  }
  return runCount;
}

/** Indexed by label number; `noSuchLabel` where there is none. */
function replicationByLabel(policy: Policy, numbers: PlanNumbers): Uint8Array {
  const table = new Uint8Array(256).fill(noSuchLabel);
  for (const { number, label } of pageClasses) {
    table[number] = numbers.of(policy[label]);
  }
  return table;
}
