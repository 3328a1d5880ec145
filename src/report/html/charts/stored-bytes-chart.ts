// What every alternative takes on all disks, the largest first, as horizontal bars.
import { largestOf } from '../../../flow/largest.js';
import type { Alternative } from '../../model/report.js';
import { bytesInWords, byteUnitFor, percentInWords } from '../../words.js';
import { barAxis, chartLegend, chartWidths, figure } from '../figure.js';
import type { Markup } from '../markup.js';
import { filledSwatch } from '../swatch.js';
import { asIs, type Charts } from './charts.js';

const barHeight = { wide: 24, narrow: 40 } as const;

const fills = { pars: 'var(--first)', other: 'var(--neutral)', dead: 'url(#hatched)' } as const;

export function storedBytesChart(
  charts: Charts,
  id: string,
  alternatives: readonly Alternative[],
): Markup {
  const { plot } = charts;
  const rows = [...alternatives].sort((a, b) => b.storedBytes - a.storedBytes);
  const largest = largestOf(rows.map(({ storedBytes }) => storedBytes));
  const unit = byteUnitFor(largest);
  const titles = new Map(rows.map((row) => [row.id, row.title]));
  const fillOf = ({ resumes, family }: Alternative): string =>
    resumes ? (family === 'pars' ? fills.pars : fills.other) : fills.dead;
  const words = ({ storedBytes, savingFraction, id: of }: Alternative): string =>
    of === 'raw-r3'
      ? bytesInWords(storedBytes)
      : `${bytesInWords(storedBytes)}, saves ${percentInWords(savingFraction)}`;
  return figure(
    charts,
    {
      id,
      title: 'Stored bytes by alternative',
      description: rows.map((row) => `${row.title}: ${words(row)}`).join('. '),
      caption: 'Bytes on all disks of the cluster together, the largest first',
      legend: chartLegend([
        [filledSwatch(fills.pars), 'PARS'],
        [filledSwatch(fills.other), 'others'],
        ...(rows.some(({ resumes }) => !resumes)
          ? [[filledSwatch(fills.dead), 'cannot be resumed'] as const]
          : []),
      ]),
    },
    (width) => {
      const isWide = width === 'wide';
      const value = (row: Alternative): number => row.storedBytes / unit.sizeBytes;
      return {
        width: chartWidths[width],
        height: rows.length * barHeight[width] + 60,
        marginLeft: isWide ? 270 : 4,
        marginRight: isWide ? 160 : 12,
        marginTop: 10,
        marginBottom: 40,
        x: {
          ...barAxis,
          domain: [0, Math.max(value(rows[0]), 1e-9)],
          label: unit.name,
          ticks: isWide ? 8 : 4,
        },
        y: {
          domain: rows.map((row) => row.id),
          label: null,
          axis: isWide ? 'left' : null,
          tickSize: 0,
          tickFormat: (of: string) => titles.get(of) ?? of,
          padding: 0.25,
        },
        marks: [
          plot.barX(rows, {
            x: value,
            y: 'id',
            fill: asIs(fillOf),
            stroke: 'var(--edge)',
            strokeWidth: 0.5,
            // On a phone, what the bar is stands above it.
            insetTop: isWide ? 0 : 16,
          }),
          isWide
            ? plot.text(rows, { x: value, y: 'id', text: words, textAnchor: 'start', dx: 6 })
            : plot.text(rows, {
                y: 'id',
                text: (row: Alternative) => `${row.title}: ${bytesInWords(row.storedBytes)}`,
                frameAnchor: 'left',
                textAnchor: 'start',
                dy: -10,
              }),
          plot.ruleX([0]),
        ],
      };
    },
  );
}
