// `pars report --advise`: what the store's cluster could keep critical pages in.
import { ParsError } from '../../../introspect/pars-error.js';
import { adviceOf } from '../../report/model/advice.js';
import type { Report } from '../../report/model/report.js';
import type { ClusterShape } from '../../store/capabilities.js';
import type { Store } from '../../store/store.js';
import type { AssumptionArguments } from './assumptions.js';
import { withStore } from './with-store.js';

export interface AdviseArguments extends AssumptionArguments {
  readonly store?: string;
}

/** The report with its advice; one that is not on a single snapshot or image comes back as it is. */
export async function advised(
  report: Report,
  options: AdviseArguments,
  signal: AbortSignal,
): Promise<Report> {
  if (report.kind !== 'snapshot') {
    return report;
  }
  const cluster = await withStore(options, (store) => describedCluster(store, signal));
  const { alternatives, assumptions } = report;
  // What was said on the command line counts over what is there now.
  const nodeCount =
    options.nodes === undefined
      ? Math.max(1, cluster.liveNodeCount ?? assumptions.nodeCount)
      : assumptions.nodeCount;
  const advice = adviceOf({ alternatives, cluster, assumptions: { ...assumptions, nodeCount } });
  if (advice === undefined) {
    throw new ParsError(
      'unsupported',
      'nothing says what packs of this image take, so there is no advice; give the image with --image',
    );
  }
  return { ...report, advice };
}

async function describedCluster(store: Store, signal: AbortSignal): Promise<ClusterShape> {
  const { describeCluster } = store.can;
  if (describeCluster === undefined) {
    throw new ParsError(
      'usage',
      `--advise: ${store.url} is no cluster that says what it has; expected HDFS`,
    );
  }
  return await describeCluster({ signal });
}
