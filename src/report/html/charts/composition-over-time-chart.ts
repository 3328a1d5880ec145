// What a VM's memory consisted of at each snapshot, as areas on each other: critical labels below, expendable ones above.
import { pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import type { PageLabel } from '../../../../introspect/page-class.js';
import { largestOf } from '../../../flow/largest.js';
import type { HistoryPoint } from '../../model/report.js';
import { byteUnitFor, shareInWords, timeInWords } from '../../words.js';
import { chartWidths, figure } from '../figure.js';
import type { Markup } from '../markup.js';
import { isExpendable, labelFill, labelLegend, labelOrder } from '../swatch.js';
import { asIs, type Charts } from './charts.js';
import { momentsOf, timeScale } from './time-axis.js';

interface Amount {
  readonly time: Date | string;
  readonly label: PageLabel;
  readonly size: number;
}

export function compositionOverTimeChart(
  charts: Charts,
  id: string,
  snapshots: readonly HistoryPoint[],
): Markup {
  const { plot } = charts;
  const present = labelOrder.filter((label) =>
    snapshots.some(({ labels }) => labels.some((l) => l.label === label && l.pageCount > 0)),
  );
  const unit = byteUnitFor(largestOf(snapshots.map(({ imageSizeBytes }) => imageSizeBytes)));
  const moments = momentsOf(snapshots);
  const amounts = snapshots.flatMap(({ labels }, index): Amount[] =>
    present.map((label) => {
      const pageCount = labels.find((entry) => entry.label === label)?.pageCount ?? 0;
      return { time: moments[index], label, size: (pageCount * pageSizeBytes) / unit.sizeBytes };
    }),
  );
  // What is stacked first lies lowest.
  const order = [...present].reverse();
  const style = {
    x: 'time',
    y: 'size',
    order,
    z: 'label',
    fill: asIs(({ label }: Amount) => labelFill(label)),
    stroke: 'var(--edge)',
    strokeWidth: 0.5,
  } as const;
  return figure(
    charts,
    {
      id,
      title: 'Memory by label over time',
      description: describe(snapshots, present),
      caption: 'Memory by label; the light labels at the top are expendable',
      legend: labelLegend(present),
    },
    (width) => ({
      width: chartWidths[width],
      height: width === 'wide' ? 360 : 300,
      marginLeft: 52,
      marginRight: 16,
      marginTop: 28,
      marginBottom: 44,
      x: timeScale(width, snapshots),
      y: { grid: true, label: unit.name, labelArrow: 'none', ticks: 6 },
      marks: [
        snapshots.length === 1
          ? plot.barY(amounts, plot.stackY(style))
          : plot.areaY(amounts, plot.stackY(style)),
        plot.ruleY([0]),
      ],
    }),
  );
}

function describe(snapshots: readonly HistoryPoint[], present: readonly PageLabel[]): string {
  const { created, labels } = snapshots[snapshots.length - 1];
  const total = labels.reduce((sum, { pageCount }) => sum + pageCount, 0);
  const expendable = labels
    .filter(({ label }) => isExpendable(label))
    .reduce((sum, { pageCount }) => sum + pageCount, 0);
  return (
    `${present.length} labels over ${snapshots.length} snapshots. At the last, ` +
    `${timeInWords(created)}, ${shareInWords(expendable, total)} of the pages are expendable. ` +
    'Every figure is in the table below.'
  );
}
