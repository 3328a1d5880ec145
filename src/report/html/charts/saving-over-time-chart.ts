// How much each snapshot of a VM saves, by both metrics, as two lines that differ in colour, dash and mark.
import { smallestOf } from '../../../flow/largest.js';
import type { HistoryPoint } from '../../model/report.js';
import { percentInWords, timeInWords } from '../../words.js';
import { chartLegend, chartWidths, figure } from '../figure.js';
import { type Markup, markup } from '../markup.js';
import type { Charts } from './charts.js';
import { momentsOf, timeScale } from './time-axis.js';

/** With more, marks hide the line. */
const markLimit = 60;

export function savingOverTimeChart(
  charts: Charts,
  id: string,
  snapshots: readonly HistoryPoint[],
): Markup {
  const { plot } = charts;
  const moments = momentsOf(snapshots);
  const points = snapshots.map((snapshot, index) => ({ ...snapshot, time: moments[index] }));
  const [first, last] = [points[0], points[points.length - 1]];
  const lowest = smallestOf([
    0,
    ...points.flatMap((point) => [point.savingFraction, point.publishedSavingFraction]),
  ]);
  return figure(
    charts,
    {
      id,
      title: 'Saving over time',
      description:
        `${points.length} snapshots, from ${timeInWords(first.created)} ` +
        `(stored: ${percentInWords(first.savingFraction)}, published metric: ` +
        `${percentInWords(first.publishedSavingFraction)}) to ${timeInWords(last.created)} ` +
        `(${percentInWords(last.savingFraction)}, ${percentInWords(last.publishedSavingFraction)}). ` +
        'Every figure is in the table below.',
      caption: 'Saved against the image three times',
      legend: chartLegend([
        [lineSample('first'), 'as stored, compressed and without zero pages'],
        [lineSample('second'), 'by the published metric: whole pages'],
      ]),
    },
    (width) => ({
      width: chartWidths[width],
      height: width === 'wide' ? 320 : 260,
      marginLeft: 52,
      marginRight: 16,
      marginTop: 16,
      marginBottom: 44,
      x: timeScale(width, snapshots),
      y: {
        domain: [lowest, 1],
        grid: true,
        label: null,
        ticks: 5,
        tickFormat: (fraction: number) => `${Math.round(fraction * 100)} %`,
      },
      marks: [
        plot.ruleY([0]),
        plot.lineY(points, {
          x: 'time',
          y: 'publishedSavingFraction',
          stroke: 'var(--second)',
          strokeWidth: 2,
          strokeDasharray: '6 4',
        }),
        plot.lineY(points, {
          x: 'time',
          y: 'savingFraction',
          stroke: 'var(--first)',
          strokeWidth: 2,
        }),
        ...(points.length > markLimit
          ? []
          : [
              plot.dot(points, {
                x: 'time',
                y: 'publishedSavingFraction',
                symbol: 'square',
                fill: 'var(--paper)',
                stroke: 'var(--second)',
                strokeWidth: 2,
                r: 4,
              }),
              plot.dot(points, { x: 'time', y: 'savingFraction', fill: 'var(--first)', r: 4 }),
            ]),
      ],
    }),
  );
}

function lineSample(series: 'first' | 'second'): Markup {
  const mark =
    series === 'first'
      ? markup`<circle cx="16" cy="6" r="4" fill="var(--first)"/>`
      : markup`<rect x="12.5" y="2.5" width="7" height="7" fill="var(--paper)" stroke="var(--second)" stroke-width="2"/>`;
  const dash = series === 'first' ? undefined : markup` stroke-dasharray="6 4"`;
  return markup`<svg class="sample" aria-hidden="true" width="32" height="12" viewBox="0 0 32 12"><path d="M0 6h32" stroke="var(--${series})" stroke-width="2"${dash}/>${mark}</svg>`;
}
