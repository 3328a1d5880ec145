// Pages by label: a table, and what the published metric makes of them.
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { pageClasses } from '../../../introspect/page-class.js';
import type { LabelLine, PublishedMetric } from '../model/report.js';
import { bytesInWords, countInWords, percentInWords, shareInWords } from '../words.js';
import { notKnown } from './alternatives.js';
import { type Markup, markup } from './markup.js';
import { isExpendable, presentLabels, swatch } from './swatch.js';
import { type Column, table } from './table.js';

/** What every table of labels begins with. */
export const labelColumns: readonly Column<Pick<LabelLine, 'label' | 'pageCount'>>[] = [
  {
    title: 'Label',
    alignment: 'left',
    isRowHeader: true,
    cell: ({ label }) => markup`<span class="whole">${swatch(label)} ${label}</span>`,
  },
  {
    title: 'Class',
    alignment: 'left',
    cell: ({ label }) => (isExpendable(label) ? 'expendable' : 'critical'),
  },
  { title: 'Pages', alignment: 'right', cell: (line) => countInWords(line.pageCount) },
];

export function labelTable(labels: readonly LabelLine[], pageCount: number): Markup {
  return table({
    id: 'label-table',
    caption: 'Pages by label, and how many copies of each the policy keeps',
    columns: [
      ...labelColumns,
      {
        title: 'Share',
        alignment: 'right',
        cell: (line) => shareInWords(line.pageCount, pageCount),
      },
      {
        title: 'Size',
        alignment: 'right',
        cell: (line) => bytesInWords(line.pageCount * pageSizeBytes),
      },
      {
        title: 'Zero pages',
        alignment: 'right',
        cell: ({ zeroPageCount }) =>
          zeroPageCount === null ? notKnown : countInWords(zeroPageCount),
      },
      {
        title: 'Copies',
        alignment: 'right',
        cell: ({ replication }) => (replication === 0 ? 'not stored' : countInWords(replication)),
      },
      {
        title: 'What the pages are',
        alignment: 'left',
        cell: ({ label }) => pageClasses.find((entry) => entry.label === label)?.meaning,
      },
    ],
    rows: presentLabels(labels),
  });
}

export function publishedTable(published: PublishedMetric, id: string): Markup {
  const total = {
    name: 'all',
    pageCount: published.byClass.reduce((sum, line) => sum + line.pageCount, 0),
    nativeBytes: published.nativeBytes,
    chosenBytes: published.chosenBytes,
  };
  return table({
    id,
    caption:
      `The published metric: ${percentInWords(published.savingFraction)} here, ` +
      `${percentInWords(published.publishedFraction)} published. No compression, zero pages counted.`,
    columns: [
      { title: 'Class', alignment: 'left', isRowHeader: true, cell: ({ name }) => name },
      { title: 'Pages', alignment: 'right', cell: (line) => countInWords(line.pageCount) },
      {
        title: 'All three times',
        alignment: 'right',
        cell: (line) => bytesInWords(line.nativeBytes),
      },
      { title: 'By class', alignment: 'right', cell: (line) => bytesInWords(line.chosenBytes) },
      {
        title: 'Saving',
        alignment: 'right',
        cell: ({ nativeBytes, chosenBytes }) =>
          nativeBytes === 0 ? notKnown : percentInWords(1 - chosenBytes / nativeBytes),
      },
    ],
    rows: [...published.byClass, total],
    isEmphasised: (line) => line === total,
  });
}
