// How many DataNodes and racks a cluster has, and which erasure codes are enabled. The nodes a NameNode tells its superuser only.

import type { ClusterShape } from '../capabilities.js';
import { orUnknown } from '../hadoop/or-unknown.js';
import { fileCodingOf } from './file-status.js';
import {
  getDatanodeReport,
  getErasureCodingPolicies,
  liveDataNodes,
} from './proto/client-namenode-protocol.js';
import type { NameNodeClient } from './rpc/name-node-client.js';

/** AdminState and ErasureCodingPolicyState of hdfs.proto, which stand for themselves where they are absent. */
const inService = 0;
const enabled = 2;

/** What cannot be had stays undefined. Throws only `cancelled`. */
export async function clusterShape(
  client: NameNodeClient,
  signal: AbortSignal | undefined,
): Promise<ClusterShape> {
  const options = { path: '', signal };
  const [policies, report] = await Promise.all([
    orUnknown(client.call(getErasureCodingPolicies, {}, options)),
    orUnknown(client.call(getDatanodeReport, { type: liveDataNodes }, options)),
  ]);
  const nodes = report?.di.filter(({ adminState = inService }) => adminState === inService);
  const racks = nodes?.map(({ location }) => location);
  return {
    liveNodeCount: nodes?.length,
    rackCount: racks === undefined || racks.includes(undefined) ? undefined : new Set(racks).size,
    enabledCodes: policies?.ecPolicies
      .filter(({ state = enabled }) => state === enabled)
      .flatMap((policy) => fileCodingOf(policy).ecPolicy ?? []),
  };
}
