// Whether a store can keep pages in the erasure codes that a policy asks for: asked before anything is written, so that a cluster
// with too few nodes is told by the policy that it lacks, and not by a file that HDFS could not place.
import { ParsError } from '../../introspect/pars-error.js';
import type { Policy } from '../plan/policy.js';
import type { ClusterShape } from '../store/capabilities.js';
import {
  ecPolicyName,
  neededPlaceCount,
  placeCount,
  type ReedSolomon,
} from '../store/redundancy.js';
import type { Store } from '../store/store.js';

export interface CodesWanted {
  readonly policy: Policy;
  /** Take a cluster with fewer nodes than a code has units, as long as data fits (`--allow-fewer`). */
  readonly allowFewer?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Throws `usage` with the reason. Asks nobody where the policy has no code. */
export async function expectCodes(
  store: Store,
  { policy, allowFewer = false, signal }: CodesWanted,
): Promise<void> {
  const codes = codesOf(policy);
  if (codes.length === 0) {
    return;
  }
  const { writeErasureCoded, describeCluster } = store.can;
  if (writeErasureCoded !== true || describeCluster === undefined) {
    throw new ParsError(
      'usage',
      `the policy keeps pages in ${codes.map(ecPolicyName).join(' and ')}, and ${store.url} writes whole copies only; ` +
        'give HDFS by webhdfs://, or numbers of copies',
    );
  }
  const cluster = await describeCluster({ signal });
  for (const code of codes) {
    const reason = whyNot(cluster, code, allowFewer);
    if (reason !== undefined) {
      throw new ParsError(
        'usage',
        `the policy keeps pages in ${ecPolicyName(code)}, and ${reason}; nothing was written`,
      );
    }
  }
}

/** Each code of the policy once. */
function codesOf(policy: Policy): readonly ReedSolomon[] {
  const codes = Object.values(policy).filter((kept) => typeof kept !== 'number');
  return [...new Map(codes.map((code) => [ecPolicyName(code), code])).values()];
}

/** Undefined where the cluster can keep files so, or does not say what it has: then what was written is looked at. */
function whyNot(
  { liveNodeCount, enabledCodes }: ClusterShape,
  code: ReedSolomon,
  allowFewer: boolean,
): string | undefined {
  const name = ecPolicyName(code);
  if (enabledCodes !== undefined && !enabledCodes.includes(name)) {
    const enabled = enabledCodes.length === 0 ? 'none' : enabledCodes.join(', ');
    return `the cluster has not enabled that (it has ${enabled}): hdfs ec -enablePolicy -policy ${name}`;
  }
  if (liveNodeCount === undefined) {
    return undefined;
  }
  const found = `it needs ${placeCount(code)} DataNodes, of which the cluster has ${liveNodeCount} alive and in service`;
  if (liveNodeCount < neededPlaceCount(code)) {
    return `${found}: HDFS writes nothing so with fewer than ${neededPlaceCount(code)}`;
  }
  return liveNodeCount >= placeCount(code) || allowFewer
    ? undefined
    : `${found}, so files would survive the loss of ${liveNodeCount - neededPlaceCount(code)} nodes in place of ` +
        `${code.parityUnitCount}: add nodes, take a smaller code, or say --allow-fewer`;
}
