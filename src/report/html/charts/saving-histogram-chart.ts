// How many snapshots of a store save how much, by both metrics, as two bars for each class.
import type { FleetReport } from '../../model/report.js';
import { countInWords } from '../../words.js';
import { chartLegend, chartWidths, figure } from '../figure.js';
import type { Markup } from '../markup.js';
import { filledSwatch } from '../swatch.js';
import type { Charts } from './charts.js';

type Class = FleetReport['histogram'][number];

/** The bars within a class, which is 1 wide. */
const bars = {
  saved: { from: 0.08, to: 0.49, fill: 'var(--first)' },
  published: { from: 0.51, to: 0.92, fill: 'url(#hatched)' },
} as const;

export function savingHistogramChart(
  charts: Charts,
  id: string,
  histogram: readonly Class[],
): Markup {
  const { plot } = charts;
  return figure(
    charts,
    {
      id,
      title: 'Snapshots by saving',
      description: histogram
        .filter(({ saved, published }) => saved + published > 0)
        .map((entry) => `${className(entry)}: ${entry.saved} stored, ${entry.published} published`)
        .join('. '),
      caption: 'Number of snapshots by how much they save against the image three times',
      legend: chartLegend([
        [filledSwatch(bars.saved.fill), 'as stored'],
        [filledSwatch(bars.published.fill), 'by the published metric'],
      ]),
    },
    (width) => ({
      width: chartWidths[width],
      height: width === 'wide' ? 300 : 240,
      marginLeft: 52,
      marginRight: 12,
      marginTop: 16,
      marginBottom: width === 'wide' ? 36 : 48,
      x: {
        domain: [0, histogram.length],
        ticks: histogram.map((_, index) => index + 0.5),
        tickSize: 0,
        label: null,
        tickFormat: (position: number) => className(histogram[Math.floor(position)]),
        tickRotate: width === 'wide' ? 0 : -60,
      },
      y: {
        grid: true,
        label: null,
        // No half snapshots.
        ticks: wholeTicks(Math.max(1, ...histogram.flatMap((c) => [c.saved, c.published]))),
        tickFormat: countInWords,
      },
      marks: [
        ...(['saved', 'published'] as const).map((metric) =>
          plot.rect(histogram, {
            x1: (_: Class, index: number) => index + bars[metric].from,
            x2: (_: Class, index: number) => index + bars[metric].to,
            y1: 0,
            y2: metric,
            fill: bars[metric].fill,
            stroke: 'var(--edge)',
            strokeWidth: 0.5,
          }),
        ),
        plot.ruleY([0]),
      ],
    }),
  );
}

/** `30–40 %`. */
export function className({ from, to }: Class): string {
  const percent = (fraction: number): number => Math.round(fraction * 100);
  return from === null ? `< ${percent(to)} %` : `${percent(from)}–${percent(to)} %`;
}

function wholeTicks(largest: number): readonly number[] {
  const magnitude = 10 ** Math.floor(Math.log10(largest));
  const step = [0.2, 0.5, 1, 2]
    .map((factor) => factor * magnitude)
    .find((candidate) => largest / candidate <= 5);
  const whole = Math.max(1, Math.round(step ?? magnitude));
  return Array.from({ length: Math.floor(largest / whole) + 1 }, (_, index) => index * whole);
}
