// What `pars verify` prints of the scenarios: what would be lost with each node, and whether the guest would resume.
import { largestOf, smallestOf } from '../../flow/largest.js';
import type { Lines } from '../../text/standard-streams.js';
import type { LossScenario, Verdict } from '../../verify/loss-scenarios.js';
import { formatTable, wrapText } from '../shared/format.js';

/** With more nodes than this, only the worst of those that differ from the best are listed. */
const listedNodeCount = 8;
const columnCount = 80;

const words: Readonly<Record<Verdict, string>> = {
  resumes: 'yes',
  'resumes-with-disk': 'with disk',
  'does-not-resume': 'no',
};
const badness: readonly Verdict[] = ['resumes', 'resumes-with-disk', 'does-not-resume'];

export function scenarioTable(scenarios: readonly LossScenario[]): Lines {
  const nodes = scenarios.filter(({ node }) => node !== null);
  const listed = new Set(nodesToList(nodes));
  const unlisted = nodes.filter((scenario) => !listed.has(scenario));
  const shown = scenarios.filter(({ node }) => node === null).toSpliced(1, 0, ...listed);
  const nameOf = namer(nodes);
  return [
    formatTable(
      ['if lost', 'lost pages', 'filled', 're-read', 'from disk', 'not healed', 'resumes?'],
      shown.map((scenario) => [
        nameOf(scenario),
        String(scenario.lostPageCount),
        String(scenario.healedPageCounts.filling),
        String(scenario.healedPageCounts.rereading),
        String(scenario.healedPageCounts.disk),
        String(scenario.unhealedPageCount),
        words[scenario.verdict],
      ]),
      ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
    ),
    ...badness.flatMap((verdict) => summaryLines(verdict, unlisted)),
    ...reasonLines(shown, nameOf),
  ];
}

/** All of few; of many the worst of those whose loss is worse than the best one's. */
function nodesToList(nodes: readonly LossScenario[]): readonly LossScenario[] {
  if (nodes.length <= listedNodeCount) {
    return nodes;
  }
  const rank = ({ verdict }: LossScenario): number => badness.indexOf(verdict);
  const best = smallestOf(nodes.map(rank));
  return nodes
    .filter((node) => rank(node) > best)
    .sort(
      (a, b) =>
        rank(b) - rank(a) ||
        b.unhealedPageCount - a.unhealedPageCount ||
        b.lostPageCount - a.lostPageCount,
    )
    .slice(0, listedNodeCount);
}

function summaryLines(verdict: Verdict, unlisted: readonly LossScenario[]): readonly string[] {
  const same = unlisted.filter((scenario) => scenario.verdict === verdict);
  const most = largestOf(same.map(({ lostPageCount }) => lostPageCount));
  return same.length === 0
    ? []
    : [`any of ${same.length} other nodes: ${words[verdict]}, with up to ${most} lost pages`];
}

/** Scenarios that fail for the same reasons share a line. */
function reasonLines(
  shown: readonly LossScenario[],
  nameOf: (scenario: LossScenario) => string,
): readonly Lines[] {
  const names = new Map<string, string[]>();
  for (const scenario of shown) {
    const reason = scenario.reasons.join('; ');
    names.set(reason, [...(names.get(reason) ?? []), nameOf(scenario)]);
  }
  names.delete('');
  return [...names].map(([reason, of]) =>
    wrapText(
      `${of.length === shown.length ? 'in every case' : of.join(', ')}: ${reason}`,
      columnCount,
      2,
    ),
  );
}

/** Nodes without what all their names share: the folder before, the domain and the port behind. Tables have no room. */
function namer(nodes: readonly LossScenario[]): (scenario: LossScenario) => string {
  const shared = (part: RegExp): number => {
    const parts = new Set(nodes.map(({ node }) => part.exec(node ?? '')?.[0] ?? ''));
    return parts.size === 1 ? [...parts][0].length : 0;
  };
  const before = shared(/^.*\//);
  const behind = shared(/(?:\.[a-z][^:]*)?:\d+$/i);
  return ({ without, node }) =>
    node !== null
      ? node.slice(before, node.length - behind)
      : without === 'nothing'
        ? 'nothing more'
        : 'single copies';
}
