// How many DataNodes and racks a cluster has, and which erasure codes are enabled. WebHDFS tells the codes from Hadoop 3.3 on, and
// nothing of nodes: those the NameNode's own page of beans tells, which is not to be had through HttpFS or a gateway.

import { z } from 'zod';
import { boundedArray } from '../../../flow/bounded.js';
import type { ClusterShape } from '../../capabilities.js';
import { orUnknown } from '../../hadoop/or-unknown.js';
import type { WebHdfsClient } from '../client.js';

const maxPolicyCount = 1024;
const name = z.string().max(1024);

const policiesAnswer = z.object({
  ErasureCodingPolicies: z.object({
    ErasureCodingPolicyInfo: boundedArray(
      z.object({ policy: z.object({ name }), state: z.string().max(64) }),
      maxPolicyCount,
    ),
  }),
});

/** LiveNodes is JSON in a string, by the name of the node. */
const nodesAnswer = z.object({
  beans: boundedArray(z.object({ LiveNodes: z.string() }), 1).refine((beans) => beans.length === 1),
});
const liveNodes = z.record(
  name,
  z.object({ adminState: z.string().max(64), location: name.optional() }),
);
const inService = 'In Service';

/** What cannot be had stays undefined. Throws only `cancelled`. */
export async function clusterShape(
  client: WebHdfsClient,
  signal: AbortSignal | undefined,
): Promise<ClusterShape> {
  const [enabledCodes, nodes] = await Promise.all([
    orUnknown(enabledPolicies(client, signal)),
    orUnknown(nodesInService(client, signal)),
  ]);
  const racks = nodes?.map(({ location }) => location);
  return {
    liveNodeCount: nodes?.length,
    rackCount: racks === undefined || racks.includes(undefined) ? undefined : new Set(racks).size,
    enabledCodes,
  };
}

async function enabledPolicies(
  client: WebHdfsClient,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const operation = { method: 'GET', op: 'GETECPOLICIES', path: '', signal } as const;
  const { ErasureCodingPolicies } = await client.ask(operation, policiesAnswer);
  return ErasureCodingPolicies.ErasureCodingPolicyInfo.filter(
    ({ state }) => state === 'ENABLED',
  ).map(({ policy }) => policy.name);
}

async function nodesInService(client: WebHdfsClient, signal: AbortSignal | undefined) {
  const { beans } = await client.askBean('NameNodeInfo', nodesAnswer, signal);
  const nodes = liveNodes.safeParse(jsonOf(beans[0].LiveNodes)).data;
  return nodes && Object.values(nodes).filter(({ adminState }) => adminState === inService);
}

/** Undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
