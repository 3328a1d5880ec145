// What a report takes for granted, as the command line says it.
import { ParsError } from '../../../introspect/pars-error.js';
import type { Assumptions } from '../../report/model/report.js';
import { parseBandwidth } from '../shared/options/parse-bandwidth.js';

export interface AssumptionArguments {
  readonly nodes?: string;
  readonly failureRate?: string;
  readonly repairHours?: string;
  readonly link?: string;
  readonly price?: string;
}

/** A gigabit link, a node that fails every twenty years and is replaced within an hour: to be set to one's own. */
const defaults = {
  nodeCount: 10,
  annualFailureRate: 0.05,
  repairHours: 1,
  linkBytesPerSecond: 125e6,
} as const;
/** HDFS's own, dfs.blocksize. */
const blockSizeBytes = 128 * 2 ** 20;
const maxNodeCount = 100_000;

/** `knownNodeCount`: of the nodes that hold anything of what the report is on. Throws `usage`. */
export function parseAssumptions(
  { nodes, failureRate, repairHours, link, price }: AssumptionArguments,
  knownNodeCount = 0,
): Assumptions {
  const nodeCount =
    nodes === undefined
      ? knownNodeCount || defaults.nodeCount
      : parseNumber('--nodes', nodes, 'a number of DataNodes', { isWhole: true });
  if (nodeCount > maxNodeCount) {
    throw new ParsError('usage', `--nodes: expected at most ${maxNodeCount}, found ${nodeCount}`);
  }
  if (nodeCount < knownNodeCount) {
    throw new ParsError(
      'usage',
      `--nodes: the snapshot lies on ${knownNodeCount} nodes, so there are not ${nodeCount}`,
    );
  }
  return {
    nodeCount,
    annualFailureRate:
      failureRate === undefined
        ? defaults.annualFailureRate
        : parseNumber('--failure-rate', failureRate, 'failures of a node in a year'),
    repairHours:
      repairHours === undefined
        ? defaults.repairHours
        : parseNumber('--repair-hours', repairHours, 'hours'),
    linkBytesPerSecond: link === undefined ? defaults.linkBytesPerSecond : parseBandwidth(link),
    pricePerTbMonth:
      price === undefined
        ? null
        : parseNumber('--price', price, 'a price for 10^12 bytes in a month'),
    blockSizeBytes,
  };
}

function parseNumber(
  option: string,
  text: string,
  meaning: string,
  { isWhole = false } = {},
): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(value > 0) || !Number.isFinite(value) || (isWhole && !Number.isInteger(value))) {
    throw new ParsError(
      'usage',
      `${option}: expected ${meaning}, above 0, found ${JSON.stringify(text)}`,
    );
  }
  return value;
}
