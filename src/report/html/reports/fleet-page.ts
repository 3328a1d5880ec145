// A whole store: totals, how the snapshots' savings are spread, and which VMs take most room.
import { pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import type { FleetReport } from '../../model/report.js';
import { bytesInWords, countInWords, countOf, percentInWords, shareInWords } from '../../words.js';
import type { Charts } from '../charts/charts.js';
import { labelSharesChart } from '../charts/label-shares-chart.js';
import { className, savingHistogramChart } from '../charts/saving-histogram-chart.js';
import { labelColumns } from '../labels.js';
import { type Markup, markup } from '../markup.js';
import type { Page, Section } from '../sections.js';
import { factList } from '../subject.js';
import { presentLabels } from '../swatch.js';
import { table } from '../table.js';
import { unreadableList } from '../unreadable.js';

export function fleetPage(charts: Charts, report: FleetReport): Page {
  const { store, snapshotCount, vmCount } = report;
  return {
    title: 'What the store saves',
    summary:
      snapshotCount === 0
        ? markup`<code>${store}</code> holds no snapshot that can be read.`
        : markup`<code>${store}</code> holds ${countOf(snapshotCount, 'snapshot')} of ${countOf(vmCount, 'VM')}.`,
    sections: [
      ...(snapshotCount === 0 ? [] : fullSections(charts, report)),
      ...(report.unreadableCount === 0 ? [] : [unreadableSection(report)]),
    ],
  };
}

function fullSections(charts: Charts, report: FleetReport): readonly Section[] {
  return [
    { id: 'totals', title: 'Totals', content: totals(report) },
    {
      id: 'histogram',
      title: 'How the savings are spread',
      content: [
        savingHistogramChart(charts, 'histogram-chart', report.histogram),
        histogramTable(report),
      ],
    },
    { id: 'largest', title: 'VMs that take most room', content: largestTable(report) },
    {
      id: 'labels',
      title: 'Pages by label',
      content: [labelSharesChart(charts, 'label-chart', report.labels), labelTable(report)],
    },
  ];
}

function totals(report: FleetReport): Markup {
  return markup`
<div class="tiles">
<section class="tile"><h3>Saving</h3><p class="figure"><strong>${percentInWords(report.savingFraction)}</strong></p>
<p>${bytesInWords(report.storedBytes)} stored, all copies together, instead of ${bytesInWords(3 * report.imageSizeBytes)} of the images three times. Basis: what the store itself says it holds.</p></section>
<section class="tile"><h3>Published metric</h3><p class="figure"><strong>${percentInWords(report.publishedSavingFraction)}</strong></p>
<p>Whole pages, critical ones three times and the others once, against all three times.</p></section>
</div>
${factList([
  ['VMs', countInWords(report.vmCount)],
  ['Snapshots', countInWords(report.snapshotCount)],
  ['Memory', bytesInWords(report.imageSizeBytes)],
  ['Stored', bytesInWords(report.storedBytes)],
])}`;
}

function histogramTable({ histogram }: FleetReport): Markup {
  return table({
    id: 'histogram-table',
    caption: 'Number of snapshots by saving',
    columns: [
      { title: 'Saving', alignment: 'left', isRowHeader: true, cell: className },
      { title: 'As stored', alignment: 'right', cell: ({ saved }) => countInWords(saved) },
      {
        title: 'Published metric',
        alignment: 'right',
        cell: ({ published }) => countInWords(published),
      },
    ],
    rows: histogram,
  });
}

function largestTable({ largest, storedBytes }: FleetReport): Markup {
  return table({
    id: 'largest-table',
    caption: 'VMs by stored bytes, largest first',
    columns: [
      { title: 'VM', alignment: 'left', isRowHeader: true, cell: ({ vm }) => vm },
      { title: 'Snapshots', alignment: 'right', cell: (row) => countInWords(row.snapshotCount) },
      { title: 'Stored', alignment: 'right', cell: (row) => bytesInWords(row.storedBytes) },
      {
        title: 'Share',
        alignment: 'right',
        cell: (row) => shareInWords(row.storedBytes, storedBytes),
      },
      { title: 'Saving', alignment: 'right', cell: (row) => percentInWords(row.savingFraction) },
      {
        title: 'Published metric',
        alignment: 'right',
        cell: (row) => percentInWords(row.publishedSavingFraction),
      },
    ],
    rows: largest,
  });
}

function labelTable({ labels }: FleetReport): Markup {
  const total = labels.reduce((sum, { pageCount }) => sum + pageCount, 0);
  return table({
    id: 'label-table',
    caption: 'Pages of all snapshots by label',
    columns: [
      ...labelColumns,
      {
        title: 'Size',
        alignment: 'right',
        cell: (row) => bytesInWords(row.pageCount * pageSizeBytes),
      },
      { title: 'Share', alignment: 'right', cell: (row) => shareInWords(row.pageCount, total) },
    ],
    rows: presentLabels(labels),
  });
}

function unreadableSection({ unreadable, unreadableCount }: FleetReport): Section {
  const rest = unreadableCount - unreadable.length;
  return {
    id: 'unreadable',
    title: 'Not readable',
    content: [
      markup`<p>${countOf(unreadableCount, 'snapshot')} could not be read and count nowhere.</p>`,
      unreadableList(unreadable),
      rest > 0 ? markup`<p>And ${countInWords(rest)} more.</p>` : '',
    ],
  };
}
