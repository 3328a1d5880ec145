// A report as Markdown for a merge request: the figures that decide, and how they come about folded away.
import { markdownTable } from 'markdown-table';
import { code, type Content, join, Markdown, markdown, textOf } from './markdown-text.js';
import type {
  Alternative,
  ComparisonReport,
  FleetReport,
  HistoryReport,
  Report,
  SnapshotReport,
  Subject,
} from './model/report.js';
import { notSmallest } from './smallest.js';
import { bytesInWords, percentInWords, probabilityInWords, timeInWords } from './words.js';

export function reportMarkdown(report: Report): string {
  switch (report.kind) {
    case 'snapshot':
      return snapshotMarkdown(report);
    case 'history':
      return historyMarkdown(report);
    case 'fleet':
      return fleetMarkdown(report);
    case 'comparison':
      return comparisonMarkdown(report);
  }
}

function snapshotMarkdown(report: SnapshotReport): string {
  const { subject, published, alternatives, notCompared } = report;
  return paragraphs(
    markdown`### What ${nameOf(subject)} takes`,
    notSmallest(report) ?? '',
    markdown`Pages at replication 3 and 1 against all at 3: **${percentInWords(published.savingFraction)} saved** (published: ${percentInWords(published.publishedFraction)}). ${bytesInWords(subject.imageSizeBytes)} of memory, Linux ${subject.kernel ?? 'not found'}, evidence ${subject.evidence}.`,
    table(
      [
        'Alternative',
        'On disks',
        'Saved',
        'Basis',
        'Resumes',
        '1 node gone',
        '2',
        '3',
        'In a year',
      ],
      alternatives.map((alternative) => [
        alternative.title,
        bytesInWords(alternative.storedBytes),
        percentInWords(alternative.savingFraction),
        alternative.basis,
        alternative.resumes ? 'yes' : 'no',
        ...[1, 2, 3].map((count) =>
          riskWords(alternative.risk.nodeLosses.find(({ nodeCount }) => nodeCount === count)),
        ),
        riskWords(alternative.risk.perYear),
      ]),
      ['l', 'r', 'r', 'l', 'l', 'r', 'r', 'r', 'r'],
    ),
    'The last four columns: how likely the guest is lost, or must be healed.',
    list(notCompared.map(({ title, reason }) => markdown`Not compared: ${title}; ${reason}.`)),
    folded(
      'How the figures come about',
      list(
        alternatives.map(
          ({ title, formula, note }) =>
            markdown`${title}: ${formula}${note === null ? '' : ` (${note})`}.`,
        ),
      ),
    ),
  );
}

function riskWords(risk: Alternative['risk']['perYear'] | undefined): string {
  if (risk === undefined) {
    return '-';
  }
  const lost = probabilityInWords(risk.doesNotResume);
  return risk.heals === 0 ? lost : `${lost}, heals ${probabilityInWords(risk.heals)}`;
}

function historyMarkdown({ vm, snapshots, unreadable }: HistoryReport): string {
  return paragraphs(
    markdown`### Snapshots of ${vm}`,
    table(
      ['Snapshot', 'Created', 'Image', 'On disks', 'Saved', 'Pages at 3 and 1'],
      snapshots.map((point) => [
        code(point.id),
        timeInWords(point.created),
        bytesInWords(point.imageSizeBytes),
        bytesInWords(point.storedBytes),
        percentInWords(point.savingFraction),
        percentInWords(point.publishedSavingFraction),
      ]),
      ['l', 'l', 'r', 'r', 'r', 'r'],
    ),
    list(unreadable.map(({ id, reason }) => markdown`${code(id)} could not be read: ${reason}`)),
  );
}

function fleetMarkdown(report: FleetReport): string {
  return paragraphs(
    new Markdown(`### ${report.snapshotCount} snapshots of ${report.vmCount} VMs`),
    markdown`${bytesInWords(report.imageSizeBytes)} of memory take ${bytesInWords(report.storedBytes)} on disks: **${percentInWords(report.savingFraction)} saved** against three copies, ${percentInWords(report.publishedSavingFraction)} by pages at 3 and 1.`,
    table(
      ['Largest', 'Snapshots', 'On disks', 'Saved'],
      report.largest.map(({ vm, snapshotCount, storedBytes, savingFraction }) => [
        vm,
        String(snapshotCount),
        bytesInWords(storedBytes),
        percentInWords(savingFraction),
      ]),
      ['l', 'r', 'r', 'r'],
    ),
    report.unreadableCount === 0 ? '' : `${report.unreadableCount} manifests could not be read.`,
  );
}

function comparisonMarkdown({ before, after }: ComparisonReport): string {
  const ids = [...new Set([...before.alternatives, ...after.alternatives].map(({ id }) => id))];
  const cells = (alternative: Alternative | undefined): readonly string[] =>
    alternative === undefined
      ? ['-', '-']
      : [bytesInWords(alternative.storedBytes), percentInWords(alternative.savingFraction)];
  return paragraphs(
    markdown`### ${nameOf(before.subject)} and ${nameOf(after.subject)}`,
    markdown`Pages at replication 3 and 1 against all at 3: ${percentInWords(before.published.savingFraction)} saved before, **${percentInWords(after.published.savingFraction)}** after.`,
    table(
      ['Alternative', 'Before', 'Saved', 'After', 'Saved'],
      ids.map((id) => {
        const was = before.alternatives.find((entry) => entry.id === id);
        const is = after.alternatives.find((entry) => entry.id === id);
        return [(was ?? is)?.title ?? id, ...cells(was), ...cells(is)];
      }),
      ['l', 'r', 'r', 'r', 'r'],
    ),
  );
}

function nameOf({ id, vm, imagePath, created }: Subject): Markdown {
  if (id === null) {
    return markdown`${imagePath ?? 'the image'}`;
  }
  return join([
    code(id),
    vm === null ? '' : ` of ${vm}`,
    created === null ? '' : ` (${timeInWords(created)})`,
  ]);
}

function table(
  header: readonly string[],
  rows: readonly (readonly Content[])[],
  align: readonly string[],
): Markdown {
  return new Markdown(
    markdownTable(
      [header, ...rows].map((row: readonly Content[]) => row.map(textOf)),
      { align },
    ),
  );
}

function list(items: readonly Markdown[]): Markdown {
  return join(
    items.map((item) => markdown`- ${item}`),
    '\n',
  );
}

function folded(title: string, content: Markdown): Markdown {
  return markdown`<details><summary>${title}</summary>\n\n${content}\n\n</details>`;
}

function paragraphs(...parts: readonly Content[]): string {
  const texts = parts.map(textOf).filter((text) => text !== '');
  return `${texts.join('\n\n')}\n`;
}
