// What a cluster could keep critical pages in, copies or codes: what each takes, survives and costs to read, and what the cluster
// lacks for it. Pure.
import { savingOf } from '../../plan/saving.js';
import type { ClusterShape } from '../../store/capabilities.js';
import {
  copies,
  ecPolicyName,
  neededPlaceCount,
  parseErasureCode,
  placeCount,
  type Redundancy,
  redundancyInWords,
  reedSolomon,
  survivedLossCount,
} from '../../store/redundancy.js';
import { storedBytesOf } from './cost.js';
import type { Advice, Alternative, Assumptions, Choice, Part } from './report.js';
import { riskOf } from './risk.js';

/** What anybody may ask for; what else the cluster has enabled comes behind. */
const usual: readonly Redundancy[] = [
  copies(2),
  copies(3),
  reedSolomon(3, 2),
  reedSolomon(6, 3),
  reedSolomon(10, 4),
];

export interface AdviceInput {
  readonly alternatives: readonly Alternative[];
  readonly cluster: ClusterShape;
  readonly assumptions: Assumptions;
}

/** Undefined where nothing says what packs of the image take. */
export function adviceOf({ alternatives, cluster, assumptions }: AdviceInput): Advice | undefined {
  const stored = ['pars-strict', 'stored'].flatMap((id) =>
    alternatives.filter((alternative) => alternative.id === id),
  );
  const native = alternatives.find(({ id }) => id === 'raw-r3');
  if (stored.length === 0 || native === undefined) {
    return undefined;
  }
  const [{ parts }] = stored;
  const { liveNodeCount, rackCount, enabledCodes } = cluster;
  return {
    liveNodeCount: liveNodeCount ?? null,
    rackCount: rackCount ?? null,
    enabledCodes: enabledCodes === undefined ? null : [...enabledCodes],
    choices: [...usual, ...otherCodes(enabledCodes ?? [])].map((redundancy): Choice => {
      const kept = parts.map((part) => withCritical(part, redundancy));
      const storedBytes = kept.reduce((sum, part) => sum + storedBytesOf(part), 0);
      return {
        name:
          redundancy.kind === 'copies' ? redundancyInWords(redundancy) : ecPolicyName(redundancy),
        lacks: lackOf(redundancy, cluster) ?? null,
        storedBytes,
        savingFraction: savingOf(native.storedBytes, storedBytes).savingFraction,
        survivedNodeCount: survivedLossCount(redundancy),
        survivesRack: survivesRack(redundancy, rackCount),
        // Nothing can be kept so on fewer nodes, which is said already; what it would be worth is of as many as it needs.
        risk: riskOf(kept, {
          ...assumptions,
          nodeCount: Math.max(assumptions.nodeCount, placeCount(redundancy)),
        }),
        readNodeCount: neededPlaceCount(redundancy),
        bytesReadPerLostByte: neededPlaceCount(redundancy),
      };
    }),
  };
}

/** What must not be lost, so; what heals stays as it is. */
function withCritical(part: Part, redundancy: Redundancy): Part {
  return part.ifLost === 'does-not-resume' ? { ...part, redundancy } : part;
}

function otherCodes(names: readonly string[]): readonly Redundancy[] {
  const known = usual.flatMap((redundancy) =>
    redundancy.kind === 'copies' ? [] : [ecPolicyName(redundancy)],
  );
  return names
    .filter((name) => !known.includes(name))
    .map(parseErasureCode)
    .filter((code) => code !== undefined);
}

/** In words; undefined where it can be had, or the cluster does not say. */
function lackOf(
  redundancy: Redundancy,
  { liveNodeCount, enabledCodes }: ClusterShape,
): string | undefined {
  const needed = placeCount(redundancy);
  if (liveNodeCount !== undefined && liveNodeCount < needed) {
    return `needs ${needed} DataNodes, and ${liveNodeCount} are alive`;
  }
  if (redundancy.kind === 'copies' || enabledCodes === undefined) {
    return undefined;
  }
  const name = ecPolicyName(redundancy);
  return enabledCodes.includes(name)
    ? undefined
    : `not enabled: hdfs ec -enablePolicy -policy ${name}`;
}

/** HDFS spreads copies over two racks, and units over as many as there are. Null where the racks are not known. */
function survivesRack(redundancy: Redundancy, rackCount: number | undefined): boolean | null {
  if (rackCount === undefined) {
    return null;
  }
  const units = placeCount(redundancy);
  const mostInRack =
    redundancy.kind === 'copies' && rackCount > 1 ? units - 1 : Math.ceil(units / rackCount);
  return mostInRack <= survivedLossCount(redundancy);
}
