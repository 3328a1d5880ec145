// Some cases at once, and then HDFS's word on their files.

import pLimit from 'p-limit';
import type { HdfsCluster } from '../hdfs/cluster.js';
import type { Bounds } from './bounds.js';
import { judge } from './judge.js';
import { type CaseOutcome, runCase } from './run-case.js';
import { isOfProcess, type WireCase } from './wire-case.js';

/** Cases wait more than they work. What happens to a process happens to all, so those cases come one by one. */
export const casesAtOnce = 6;

export async function runBatch(
  cluster: HdfsCluster,
  folder: string,
  cases: readonly WireCase[],
  bounds: Bounds,
): Promise<ReadonlyMap<number, CaseOutcome>> {
  const outcomes = new Map<number, CaseOutcome>();
  const run = async (wireCase: WireCase): Promise<void> => {
    outcomes.set(wireCase.number, await runCase(cluster, folder, wireCase, bounds));
  };
  const limit = pLimit(casesAtOnce);
  await limit.map(
    cases.filter((wireCase) => !isOfProcess(wireCase)),
    run,
  );
  for (const wireCase of cases.filter(isOfProcess)) {
    await run(wireCase);
  }
  const wrong = await judge(cluster, folder, cases);
  return new Map(
    [...outcomes].map(([number, outcome]) => [
      number,
      { ...outcome, wrong: [...outcome.wrong, ...(wrong.get(number) ?? [])] },
    ]),
  );
}
