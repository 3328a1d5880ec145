// What an alternative loses with 1, 2 and 3 nodes of the cluster, and in a year.
//
// Where nothing says where its blocks are, the units of each block lie on nodes chosen evenly and independently of other
// blocks. Then, with k of N nodes gone, a block with w units of which n are needed is lost with the probability that more
// than w - n of its nodes are among the k: the tail of a hypergeometric distribution; C(N-r, k-r) / C(N, k) for r copies.
// That HDFS spreads copies over racks is left out, as are failures of whole racks.
//
// In a year, with failures at a rate of L per node and each one repaired after a fixed time T: a set of s nodes is down
// at once at a rate of s * L^s * T^(s-1) - any of them fails last, while each of the others is down, which it is for a
// fraction L * T of the time (as for disks in Patterson, Gibson, Katz: "A Case for Redundant Arrays of Inexpensive Disks",
// SIGMOD 1988). That counts once for each of the sets whose loss costs a block ("Copysets" in Cidon et al., USENIX ATC
// 2013). Of all M = C(N, s) sets a block makes a share q = C(w, s) / M such ones, with s = w - n + 1, so B blocks make
// M * (1 - (1 - q)^B) different ones. Their rates added up give the probability 1 - exp(-rate). It is too high rather
// than too low where L * T is not small, or where sets of different sizes lie in each other.
import { placeCount, type Redundancy, survivedLossCount } from '../../store/redundancy.js';
import { drawProbability, logBinomial } from './binomials.js';
import { canTryChoices, type Placement, tryChoices } from './placement.js';
import type { Assumptions, NodeLoss, Part, Risk } from './report.js';

/** Nodes gone at once, at most. */
const mostGone = 3;
const hoursPerYear = 365.25 * 24;

type RiskAssumptions = Pick<Assumptions, 'nodeCount' | 'annualFailureRate' | 'repairHours'>;

/** With `placement`, what goes with nodes is counted over the real places, unless those are too many to try. */
export function riskOf(
  parts: readonly Part[],
  assumptions: RiskAssumptions,
  placement?: Placement,
): Risk {
  const nodeLosses =
    placement === undefined || !canTryChoices(placement, mostGone)
      ? computedLosses(parts, assumptions.nodeCount)
      : placedLosses(placement, assumptions.nodeCount);
  return { nodeLosses, perYear: lossPerYear(parts, assumptions) };
}

/** Nodes that hold nothing go without harm; a cluster with fewer nodes than hold something is as large as those. */
function placedLosses(placement: Placement, assumedNodeCount: number): NodeLoss[] {
  const holderCount = placement.nodes.length;
  const nodeCount = Math.max(assumedNodeCount, holderCount);
  const counts = {
    all: new Float64Array(mostGone + 1),
    heals: new Float64Array(mostGone + 1),
    'does-not-resume': new Float64Array(mostGone + 1),
  };
  tryChoices(placement, mostGone, ({ length: goneCount }, outcome) => {
    counts.all[goneCount]++;
    if (outcome !== 'nothing-lost') {
      counts[outcome][goneCount]++;
    }
  });
  return goneCounts(nodeCount).map((goneCount) => {
    const probabilityOf = (outcome: Part['ifLost']): number => {
      let sum = 0;
      for (let hit = 0; hit <= Math.min(goneCount, holderCount); hit++) {
        const share = counts[outcome][hit] / counts.all[hit];
        sum += share * drawProbability(nodeCount, holderCount, goneCount, hit);
      }
      return Math.min(1, sum);
    };
    return {
      nodeCount: goneCount,
      doesNotResume: probabilityOf('does-not-resume'),
      heals: probabilityOf('heals'),
      basis: 'placement',
    };
  });
}

function computedLosses(parts: readonly Part[], nodeCount: number): NodeLoss[] {
  return goneCounts(nodeCount).map((goneCount) => {
    /** ln of the probability that no such block is lost. */
    const logSafe = (ifLost: Part['ifLost']): number =>
      sumOf(parts, ifLost, ({ redundancy, blockCount }) =>
        logNoneOf(blockCount, blockLoss(redundancy, nodeCount, goneCount)),
      );
    const fatal = logSafe('does-not-resume');
    return {
      nodeCount: goneCount,
      doesNotResume: oneMinusExp(fatal),
      heals: Math.exp(fatal) * oneMinusExp(logSafe('heals')),
      basis: 'computed',
    };
  });
}

function lossPerYear(
  parts: readonly Part[],
  { nodeCount, annualFailureRate, repairHours }: RiskAssumptions,
): Risk['perYear'] {
  const repairYears = repairHours / hoursPerYear;
  const rateOf = (ifLost: Part['ifLost']): number => {
    /** By the size of the sets: ln of the probability that a given set is not one whose loss costs a block. */
    const logHarmless = new Map<number, number>();
    for (const { redundancy, blockCount } of parts.filter((part) => part.ifLost === ifLost)) {
      const { unitCount, fatalCount } = spreadOver(nodeCount, redundancy);
      const share = Math.exp(
        logBinomial(unitCount, fatalCount) - logBinomial(nodeCount, fatalCount),
      );
      logHarmless.set(
        fatalCount,
        (logHarmless.get(fatalCount) ?? 0) + logNoneOf(blockCount, Math.min(1, share)),
      );
    }
    let rate = 0;
    for (const [size, log] of logHarmless) {
      const setCount = Math.exp(logBinomial(nodeCount, size)) * oneMinusExp(log);
      if (setCount > 0) {
        rate +=
          size === 0
            ? Infinity
            : setCount * size * annualFailureRate * (annualFailureRate * repairYears) ** (size - 1);
      }
    }
    return rate;
  };
  const fatalRate = rateOf('does-not-resume');
  return {
    doesNotResume: oneMinusExp(-fatalRate),
    heals: Math.exp(-fatalRate) * oneMinusExp(-rateOf('heals')),
  };
}

/** That a given block is lost. */
function blockLoss(redundancy: Redundancy, nodeCount: number, goneCount: number): number {
  const { unitCount, fatalCount } = spreadOver(nodeCount, redundancy);
  let sum = 0;
  for (let hit = fatalCount; hit <= Math.min(unitCount, goneCount); hit++) {
    sum += drawProbability(nodeCount, unitCount, goneCount, hit);
  }
  return Math.min(1, sum);
}

/**
 * How many nodes have a unit of a block, and how many of those must go for it to be lost. HDFS puts no two units of a
 * block on one node: on fewer nodes than there are units it leaves out the rest. With fewer than are needed nothing can
 * be kept so at all, and 0 stands for that. The last group of a coded file may have fewer units, and then it is safer
 * than is counted here.
 */
function spreadOver(
  nodeCount: number,
  redundancy: Redundancy,
): { readonly unitCount: number; readonly fatalCount: number } {
  const unitCount = Math.min(nodeCount, placeCount(redundancy));
  return { unitCount, fatalCount: Math.max(0, survivedLossCount(redundancy, unitCount) + 1) };
}

function goneCounts(nodeCount: number): readonly number[] {
  return Array.from({ length: Math.min(mostGone, nodeCount) }, (_, index) => index + 1);
}

function sumOf(parts: readonly Part[], ifLost: Part['ifLost'], of: (part: Part) => number): number {
  return parts.filter((part) => part.ifLost === ifLost).reduce((sum, part) => sum + of(part), 0);
}

/** ln of the probability that something that happens with `probability` does not happen in `count` tries. */
function logNoneOf(count: number, probability: number): number {
  return count === 0 ? 0 : count * Math.log1p(-probability);
}

/** 1 - exp(x), exact for tiny x, and never the -0 of -expm1(0). */
function oneMinusExp(x: number): number {
  return 0 - Math.expm1(x);
}
