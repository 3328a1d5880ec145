// Which share of all pages each label has, as horizontal bars in the order of the legend.
import type { PageLabel } from '../../../../introspect/page-class.js';
import { largestOf } from '../../../flow/largest.js';
import { shareInWords } from '../../words.js';
import { barAxis, chartWidths, figure } from '../figure.js';
import type { Markup } from '../markup.js';
import { labelFill, presentLabels } from '../swatch.js';
import { asIs, type Charts } from './charts.js';

export interface LabelCount {
  readonly label: PageLabel;
  readonly pageCount: number;
}

const rowHeight = 22;

export function labelSharesChart(
  charts: Charts,
  id: string,
  labels: readonly LabelCount[],
): Markup {
  const { plot } = charts;
  const total = labels.reduce((sum, { pageCount }) => sum + pageCount, 0);
  const rows = presentLabels(labels).map(({ label, pageCount }) => ({
    label,
    percent: (pageCount / total) * 100,
    words: shareInWords(pageCount, total),
  }));
  return figure(
    charts,
    {
      id,
      title: 'Share of pages by label',
      description: rows.map(({ label, words }) => `${label}: ${words}`).join('. '),
      caption: 'Share of all pages; light labels are expendable, dark ones critical',
    },
    (width) => ({
      width: chartWidths[width],
      height: rows.length * rowHeight + 60,
      marginLeft: width === 'wide' ? 150 : 100,
      marginRight: 60,
      marginTop: 10,
      marginBottom: 40,
      x: {
        ...barAxis,
        domain: [0, largestOf(rows.map(({ percent }) => percent))],
        label: '%',
        ticks: width === 'wide' ? 8 : 4,
      },
      y: { domain: rows.map(({ label }) => label), label: null, tickSize: 0, padding: 0.25 },
      marks: [
        plot.barX(rows, {
          x: 'percent',
          y: 'label',
          fill: asIs(({ label }: (typeof rows)[number]) => labelFill(label)),
          stroke: 'var(--edge)',
          strokeWidth: 0.5,
        }),
        plot.text(rows, { x: 'percent', y: 'label', text: 'words', textAnchor: 'start', dx: 5 }),
        plot.ruleX([0]),
      ],
    }),
  );
}
