// What every alternative takes for each of two snapshots: a line from a ring to a dot.
import { largestOf } from '../../../flow/largest.js';
import type { Alternative } from '../../model/report.js';
import { bytesInWords, byteUnitFor } from '../../words.js';
import { barAxis, chartLegend, chartWidths, figure } from '../figure.js';
import { type Markup, markup } from '../markup.js';
import type { Charts } from './charts.js';

export interface AlternativePair {
  readonly id: string;
  readonly title: string;
  readonly before: Alternative;
  readonly after: Alternative;
}

const rowHeight = { wide: 22, narrow: 36 } as const;

export function storedDifferenceChart(
  charts: Charts,
  id: string,
  pairs: readonly AlternativePair[],
): Markup {
  const { plot } = charts;
  const rows = [...pairs].sort((a, b) => b.after.storedBytes - a.after.storedBytes);
  const largest = largestOf(
    rows.map(({ before, after }) => Math.max(before.storedBytes, after.storedBytes)),
  );
  const unit = byteUnitFor(largest);
  const titles = new Map(rows.map((row) => [row.id, row.title]));
  const from = ({ before }: AlternativePair): number => before.storedBytes / unit.sizeBytes;
  const to = ({ after }: AlternativePair): number => after.storedBytes / unit.sizeBytes;
  return figure(
    charts,
    {
      id,
      title: 'Stored bytes by alternative, first and second snapshot',
      description: rows
        .map(
          ({ title, before, after }) =>
            `${title}: ${bytesInWords(before.storedBytes)}, then ${bytesInWords(after.storedBytes)}`,
        )
        .join('. '),
      caption: 'Bytes on all disks of the cluster together',
      legend: chartLegend([
        [sample('var(--paper)'), 'first'],
        [sample('var(--first)'), 'second'],
      ]),
    },
    (width) => {
      const isWide = width === 'wide';
      const dy = isWide ? 0 : 6;
      return {
        width: chartWidths[width],
        height: rows.length * rowHeight[width] + 60,
        marginLeft: isWide ? 270 : 8,
        marginRight: isWide ? 24 : 12,
        marginTop: 10,
        marginBottom: 40,
        x: {
          ...barAxis,
          domain: [0, Math.max(largest / unit.sizeBytes, 1e-9)],
          label: unit.name,
          ticks: isWide ? 8 : 4,
        },
        y: {
          type: 'band',
          domain: rows.map((row) => row.id),
          label: null,
          axis: isWide ? 'left' : null,
          tickSize: 0,
          tickFormat: (of: string) => titles.get(of) ?? of,
        },
        marks: [
          plot.ruleX([0]),
          plot.link(rows, { x1: from, x2: to, y1: 'id', y2: 'id', dy, strokeWidth: 2 }),
          plot.dot(rows, {
            x: from,
            y: 'id',
            dy,
            r: 5,
            fill: 'var(--paper)',
            stroke: 'var(--first)',
            strokeWidth: 2,
          }),
          plot.dot(rows, { x: to, y: 'id', dy, r: 5, fill: 'var(--first)' }),
          ...(isWide
            ? []
            : [plot.text(rows, { y: 'id', text: 'title', frameAnchor: 'left', dy: -10 })]),
        ],
      };
    },
  );
}

function sample(fill: string): Markup {
  return markup`<svg class="sample" aria-hidden="true" width="14" height="14" viewBox="0 0 14 14"><circle cx="7" cy="7" r="5" fill="${fill}" stroke="var(--first)" stroke-width="2"/></svg>`;
}
