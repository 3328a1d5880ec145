// All snapshots of a VM: how much they save and what its memory consists of, over time.
import { pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import type { HistoryPoint, HistoryReport } from '../../model/report.js';
import {
  bytesInWords,
  byteUnitFor,
  countOf,
  decimalInWords,
  percentInWords,
  timeInWords,
} from '../../words.js';
import { notKnown } from '../alternatives.js';
import type { Charts } from '../charts/charts.js';
import { compositionOverTimeChart } from '../charts/composition-over-time-chart.js';
import { savingOverTimeChart } from '../charts/saving-over-time-chart.js';
import { type Markup, markup } from '../markup.js';
import type { Page, Section } from '../sections.js';
import { labelOrder, swatch } from '../swatch.js';
import { table } from '../table.js';
import { unreadableList } from '../unreadable.js';

export function historyPage(charts: Charts, report: HistoryReport): Page {
  const { vm, snapshots, unreadable } = report;
  return {
    title: `What storing ${vm} saves, over time`,
    summary:
      snapshots.length === 0
        ? markup`The store has no snapshot of ${vm} that can be read.`
        : snapshots.length === 1
          ? 'One snapshot.'
          : `${countOf(snapshots.length, 'snapshot')}, oldest first. What two snapshots share counts for both.`,
    sections: [
      ...(snapshots.length === 0 ? [] : timeSections(charts, snapshots)),
      ...(unreadable.length === 0 ? [] : [unreadableSection(unreadable)]),
    ],
  };
}

function timeSections(charts: Charts, snapshots: readonly HistoryPoint[]): readonly Section[] {
  return [
    {
      id: 'saving',
      title: 'Saving over time',
      content: [savingOverTimeChart(charts, 'saving-chart', snapshots), savingTable(snapshots)],
    },
    {
      id: 'labels',
      title: 'Memory by label over time',
      content: [
        compositionOverTimeChart(charts, 'label-chart', snapshots),
        compositionTable(snapshots),
      ],
    },
  ];
}

function savingTable(snapshots: readonly HistoryPoint[]): Markup {
  return table({
    id: 'saving-table',
    caption: 'Snapshots, oldest first',
    columns: [
      {
        title: 'Taken',
        alignment: 'left',
        isRowHeader: true,
        cell: ({ created }) => momentCell(created),
      },
      { title: 'Snapshot', alignment: 'left', cell: ({ id }) => markup`<code>${id}</code>` },
      { title: 'Memory', alignment: 'right', cell: (row) => bytesInWords(row.imageSizeBytes) },
      { title: 'Stored', alignment: 'right', cell: (row) => bytesInWords(row.storedBytes) },
      { title: 'Saving', alignment: 'right', cell: (row) => percentInWords(row.savingFraction) },
      {
        title: 'Published metric',
        alignment: 'right',
        cell: (row) => percentInWords(row.publishedSavingFraction),
      },
      { title: 'Kernel', alignment: 'left', cell: ({ kernel }) => kernel ?? 'none found' },
      { title: 'Evidence', alignment: 'left', cell: ({ evidence }) => evidence },
    ],
    rows: snapshots,
  });
}

function compositionTable(snapshots: readonly HistoryPoint[]): Markup {
  const counts = snapshots.map(
    ({ labels }) => new Map(labels.map(({ label, pageCount }) => [label, pageCount])),
  );
  const present = labelOrder.filter((label) =>
    counts.some((ofSnapshot) => (ofSnapshot.get(label) ?? 0) > 0),
  );
  // Of one unit for all, so that columns stay narrow.
  const unit = byteUnitFor(2 ** 20);
  return table({
    id: 'label-table',
    caption: `Memory by label at each snapshot, in ${unit.name}`,
    isDense: true,
    columns: [
      {
        title: 'Taken',
        alignment: 'left',
        isRowHeader: true,
        cell: (index) => momentCell(snapshots[index].created),
      },
      ...present.map((label) => ({
        title: markup`<span class="whole">${swatch(label)} ${label}</span>`,
        alignment: 'right' as const,
        cell: (index: number) => {
          const pageCount = counts[index].get(label) ?? 0;
          return pageCount === 0
            ? notKnown
            : decimalInWords((pageCount * pageSizeBytes) / unit.sizeBytes);
        },
      })),
    ],
    rows: snapshots.map((_, index) => index),
  });
}

/** A date would be broken at its hyphens. */
function momentCell(created: string): Markup {
  return markup`<span class="whole">${timeInWords(created)}</span>`;
}

function unreadableSection(unreadable: HistoryReport['unreadable']): Section {
  return { id: 'unreadable', title: 'Not readable', content: unreadableList(unreadable) };
}
