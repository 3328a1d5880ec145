// A report on a terminal of 80 columns.
import type {
  Advice,
  Alternative,
  Assumptions,
  ComparisonReport,
  FleetReport,
  HistoryReport,
  LabelLine,
  Report,
  SnapshotReport,
  Subject,
} from '../../report/model/report.js';
import { notSmallest } from '../../report/smallest.js';
import { type Lines, paragraphs } from '../../text/standard-streams.js';
import { formatBytes, formatPercent, formatTable, formatTime, wrapText } from '../shared/format.js';

const columnCount = 80;
const largestShown = 10;

export function reportText(report: Report): Lines {
  switch (report.kind) {
    case 'snapshot':
      return snapshotText(report);
    case 'history':
      return historyText(report);
    case 'fleet':
      return fleetText(report);
    case 'comparison':
      return comparisonText(report);
  }
}

function snapshotText(report: SnapshotReport): Lines {
  const { subject, published, alternatives, notCompared, assumptions } = report;
  const first = notSmallest(report);
  return paragraphs([
    ...(first === undefined ? [] : [wrapText(first.replaceAll('\u00a0', ' '), columnCount, 0)]),
    subjectLines(subject),
    `Pages at replication 3 and 1 against all at 3: ${formatPercent(published.savingFraction)} saved ` +
      `(published: ${formatPercent(published.publishedFraction)}).`,
    labelTable(report.labels, subject.pageCount),
    storedTable(alternatives),
    riskTable(alternatives),
    costTable(alternatives, assumptions),
    ...(report.advice === undefined ? [] : [adviceLines(report.advice)]),
    [
      ...notCompared.map(({ title, reason }) => `Not compared: ${title}; ${reason}.`),
      ...alternatives.flatMap(({ title, note }) =>
        note === null ? [] : [`${shortTitle(title)}: ${note}.`],
      ),
      assumptionsLine(assumptions),
    ].map((line) => wrapText(line, columnCount, 2)),
  ]);
}

function subjectLines({
  id,
  vm,
  imagePath,
  created,
  kernel,
  evidence,
  imageSizeBytes,
  pageCount,
}: Subject): Lines {
  return [
    ...(id === null ? [] : [`snapshot  ${id}`]),
    ...(vm === null ? [] : [`vm        ${vm}`]),
    ...(imagePath === null ? [] : [`image     ${imagePath}`]),
    ...(created === null ? [] : [`created   ${formatTime(Date.parse(created))}`]),
    `kernel    ${kernel ?? '-'}`,
    wrapText(`evidence  ${evidence}`, columnCount, 10),
    `size      ${formatBytes(imageSizeBytes)}, ${pageCount} pages`,
  ];
}

function labelTable(labels: readonly LabelLine[], pageCount: number): Lines {
  return formatTable(
    ['label', 'class', 'pages', 'share', 'zero pages', 'copies'],
    labels
      .filter((line) => line.pageCount > 0)
      .map((line) => [
        line.label,
        line.expendable ? 'expendable' : 'critical',
        String(line.pageCount),
        formatPercent(line.pageCount / pageCount),
        line.zeroPageCount === null ? '-' : String(line.zeroPageCount),
        String(line.replication),
      ]),
    ['left', 'left', 'right', 'right', 'right', 'right'],
  );
}

function storedTable(alternatives: readonly Alternative[]): Lines {
  return formatTable(
    ['alternative', 'on disks', 'saved', 'basis', 'resumes'],
    alternatives.map(({ title, storedBytes, savingFraction, basis, resumes }) => [
      shortTitle(title),
      formatBytes(storedBytes),
      formatPercent(savingFraction),
      basis,
      resumes ? 'yes' : 'no',
    ]),
    ['left', 'right', 'right', 'left', 'left'],
  );
}

function adviceLines({ liveNodeCount, rackCount, enabledCodes, choices }: Advice): Lines {
  const known = (value: number | null): string => (value === null ? '?' : String(value));
  const codes = enabledCodes === null ? '?' : enabledCodes.join(', ') || 'none';
  return [
    wrapText(
      `What must not be lost could be kept so (DataNodes alive: ${known(liveNodeCount)}, racks: ${known(rackCount)}, ` +
        `codes enabled: ${codes}):`,
      columnCount,
      2,
    ),
    formatTable(
      ['critical pages in', 'on disks', 'saved', 'nodes', 'rack', 'in a year', 'read from'],
      choices.map((choice) => [
        `${choice.name}${choice.lacks === null ? '' : ' *'}`,
        formatBytes(choice.storedBytes),
        formatPercent(choice.savingFraction),
        String(choice.survivedNodeCount),
        choice.survivesRack === null ? '?' : choice.survivesRack ? 'yes' : 'no',
        riskText(choice.risk.perYear),
        choice.readNodeCount === 1 ? '1 node' : `${choice.readNodeCount} nodes`,
      ]),
      ['left', 'right', 'right', 'right', 'left', 'right', 'right'],
    ),
    wrapText(
      'nodes, rack: so many nodes, or a rack, may go. Of a node that is gone, as many bytes are read for each byte as a ' +
        'pack is read from nodes.',
      columnCount,
      2,
    ),
    ...choices.flatMap(({ name, lacks }) =>
      lacks === null ? [] : [wrapText(`* ${name}: ${lacks}`, columnCount, 2)],
    ),
  ];
}

/** Titles are for all ways of showing them; here room is dear. */
function shortTitle(title: string): string {
  return title.replace(', replication 3', ' x 3');
}

function riskTable(alternatives: readonly Alternative[]): Lines {
  const nodeCounts = [
    ...new Set(alternatives.flatMap(({ risk }) => risk.nodeLosses.map((loss) => loss.nodeCount))),
  ].sort((a, b) => a - b);
  return [
    'How likely the guest is lost (in brackets: must be healed) with so many nodes:',
    formatTable(
      ['alternative', ...nodeCounts.map((nodes) => `${nodes} gone`), 'in a year'],
      alternatives.map(({ title, risk: { nodeLosses, perYear } }) => [
        shortTitle(title),
        ...nodeCounts.map((nodes) =>
          riskText(nodeLosses.find(({ nodeCount }) => nodeCount === nodes)),
        ),
        riskText(perYear),
      ]),
      ['left', ...nodeCounts.map(() => 'right' as const), 'right'],
    ),
  ];
}

function riskText(
  risk: { readonly doesNotResume: number; readonly heals: number } | undefined,
): string {
  if (risk === undefined) {
    return '-';
  }
  const { doesNotResume, heals } = risk;
  return heals === 0
    ? probabilityText(doesNotResume)
    : `${probabilityText(doesNotResume)} (${probabilityText(heals)})`;
}

/** What may happen never reads as nothing, nor as certain what may not. */
function probabilityText(probability: number): string {
  if (probability === 0) {
    return '0';
  }
  if (probability < 1e-3) {
    return probability.toExponential(0);
  }
  if (probability === 1) {
    return '1';
  }
  return probability > 0.99 ? '>.99' : probability.toPrecision(2).replace(/^0/, '');
}

function costTable(alternatives: readonly Alternative[], { pricePerTbMonth }: Assumptions): Lines {
  const hasPrice = pricePerTbMonth !== null;
  return formatTable(
    ['alternative', 'sent', 'upload', 'restore', 'objects', ...(hasPrice ? ['a month'] : [])],
    alternatives.map(({ title, cost }) => [
      shortTitle(title),
      formatBytes(cost.uploadBytes + cost.clusterBytes),
      secondsText(cost.uploadSeconds),
      secondsText(cost.restoreSeconds),
      String(cost.fileCount + cost.blockCount),
      ...(cost.pricePerMonth === null ? [] : [cost.pricePerMonth.toPrecision(3)]),
    ]),
    ['left', 'right', 'right', 'right', 'right', 'right'],
  );
}

function secondsText(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
}

function assumptionsLine(assumptions: Assumptions): string {
  const { nodeCount, annualFailureRate, repairHours, linkBytesPerSecond } = assumptions;
  return (
    `Assumed: ${nodeCount} nodes, each failing ${annualFailureRate} times a year and repaired in ${repairHours} h; ` +
    `a link of ${formatBytes(linkBytesPerSecond)}/s, sent over once; objects are files and blocks of the NameNode.`
  );
}

function historyText({ vm, snapshots, unreadable }: HistoryReport): Lines {
  return paragraphs([
    `vm  ${vm}, ${snapshots.length} snapshots`,
    formatTable(
      ['id', 'created', 'image', 'on disks', 'saved', '3 and 1'],
      snapshots.map((point) => [
        point.id,
        formatTime(Date.parse(point.created)).slice(0, 16),
        formatBytes(point.imageSizeBytes),
        formatBytes(point.storedBytes),
        formatPercent(point.savingFraction),
        formatPercent(point.publishedSavingFraction),
      ]),
      ['left', 'left', 'right', 'right', 'right', 'right'],
    ),
    wrapText(
      'saved: against three copies of all that is in it. 3 and 1: whole pages at replication 3 and 1 against all at 3.',
      columnCount,
      0,
    ),
    unreadableText(unreadable.length, unreadable),
  ]);
}

function fleetText(report: FleetReport): Lines {
  const most = Math.max(1, ...report.histogram.map(({ saved }) => saved));
  return paragraphs([
    [
      `store     ${report.store}`,
      `VMs       ${report.vmCount}, with ${report.snapshotCount} snapshots`,
      `images    ${formatBytes(report.imageSizeBytes)}`,
      `on disks  ${formatBytes(report.storedBytes)}`,
      `saved     ${formatPercent(report.savingFraction)} of three copies`,
      `3 and 1   ${formatPercent(report.publishedSavingFraction)}: whole pages at replication 3 and 1, all at 3`,
    ],
    formatTable(
      ['saved', 'snapshots', ''],
      report.histogram.map(({ from, to, saved }) => [
        from === null ? 'less than 0 %' : `${(from * 100).toFixed(0)} - ${(to * 100).toFixed(0)} %`,
        String(saved),
        '#'.repeat(Math.ceil((saved / most) * 40)),
      ]),
      ['left', 'right', 'left'],
    ),
    formatTable(
      ['largest', 'snapshots', 'on disks', 'saved'],
      report.largest
        .slice(0, largestShown)
        .map(({ vm, snapshotCount, storedBytes, savingFraction }) => [
          vm,
          String(snapshotCount),
          formatBytes(storedBytes),
          formatPercent(savingFraction),
        ]),
      ['left', 'right', 'right', 'right'],
    ),
    unreadableText(report.unreadableCount, report.unreadable),
  ]);
}

function unreadableText(
  count: number,
  first: readonly { readonly id: string; readonly reason: string }[],
): Lines {
  return count === 0
    ? []
    : [
        `${count} manifests could not be read:`,
        ...first.map(({ id, reason }) => wrapText(`  ${id}  ${reason}`, columnCount, 4)),
      ];
}

function comparisonText({ before, after }: ComparisonReport): Lines {
  const labels = [...new Set([...before.labels, ...after.labels].map(({ label }) => label))];
  const pagesOf = (report: SnapshotReport, label: string): number =>
    report.labels.find((line) => line.label === label)?.pageCount ?? 0;
  const ids = [...new Set([...before.alternatives, ...after.alternatives].map(({ id }) => id))];
  return paragraphs([
    ['before', subjectLines(before.subject)],
    ['after', subjectLines(after.subject)],
    formatTable(
      ['label', 'pages before', 'after', 'difference'],
      labels
        .map((label) => [label, pagesOf(before, label), pagesOf(after, label)] as const)
        .filter(([, was, is]) => was + is > 0)
        .map(([label, was, is]) => [label, String(was), String(is), signed(is - was)]),
      ['left', 'right', 'right', 'right'],
    ),
    formatTable(
      ['alternative', 'before', 'after', 'saved', 'saved after'],
      ids.map((id) => {
        const was = before.alternatives.find((entry) => entry.id === id);
        const is = after.alternatives.find((entry) => entry.id === id);
        return [
          shortTitle((was ?? is)?.title ?? id),
          was === undefined ? '-' : formatBytes(was.storedBytes),
          is === undefined ? '-' : formatBytes(is.storedBytes),
          was === undefined ? '-' : formatPercent(was.savingFraction),
          is === undefined ? '-' : formatPercent(is.savingFraction),
        ];
      }),
      ['left', 'right', 'right', 'right', 'right'],
    ),
    wrapText(
      `Pages at replication 3 and 1 against all at 3: ${formatPercent(before.published.savingFraction)} saved before, ` +
        `${formatPercent(after.published.savingFraction)} after.`,
      columnCount,
      0,
    ),
  ]);
}

function signed(count: number): string {
  return count > 0 ? `+${count}` : String(count);
}
