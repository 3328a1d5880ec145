// By how much each label grew or shrank from one snapshot to another, as bars to the right and to the left.
import { pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import type { PageLabel } from '../../../../introspect/page-class.js';
import { bytesInWords, byteUnitFor, signed } from '../../words.js';
import { barAxis, chartWidths, figure } from '../figure.js';
import type { Markup } from '../markup.js';
import { labelFill } from '../swatch.js';
import { asIs, type Charts } from './charts.js';

export interface LabelPair {
  readonly label: PageLabel;
  readonly beforeCount: number;
  readonly afterCount: number;
}

const rowHeight = 24;

export function labelDifferenceChart(
  charts: Charts,
  id: string,
  pairs: readonly LabelPair[],
): Markup {
  const { plot } = charts;
  const rows = pairs.map(({ label, beforeCount, afterCount }) => {
    const sizeBytes = (afterCount - beforeCount) * pageSizeBytes;
    return { label, sizeBytes, words: signed(bytesInWords(sizeBytes), sizeBytes) };
  });
  const furthest = Math.max(1, ...rows.map(({ sizeBytes }) => Math.abs(sizeBytes)));
  const unit = byteUnitFor(furthest);
  const extent = furthest / unit.sizeBytes;
  const value = ({ sizeBytes }: (typeof rows)[number]): number => sizeBytes / unit.sizeBytes;
  return figure(
    charts,
    {
      id,
      title: 'Change of each label',
      description: rows.map(({ label, words }) => `${label}: ${words}`).join('. '),
      caption: 'Memory by label: second snapshot less first',
    },
    (width) => ({
      width: chartWidths[width],
      height: rows.length * rowHeight + 60,
      marginLeft: width === 'wide' ? 150 : 100,
      marginRight: 20,
      marginTop: 10,
      marginBottom: 40,
      x: {
        ...barAxis,
        domain: [-extent, extent],
        label: unit.name,
        ticks: width === 'wide' ? 8 : 3,
      },
      y: { domain: rows.map(({ label }) => label), label: null, tickSize: 0, padding: 0.25 },
      marks: [
        plot.barX(rows, {
          x: value,
          y: 'label',
          fill: asIs(({ label }: (typeof rows)[number]) => labelFill(label)),
          stroke: 'var(--edge)',
          strokeWidth: 0.5,
        }),
        // Across from the bar, where there is always room.
        plot.text(
          rows.filter(({ sizeBytes }) => sizeBytes <= 0),
          { x: 0, y: 'label', text: 'words', textAnchor: 'start', dx: 5 },
        ),
        plot.text(
          rows.filter(({ sizeBytes }) => sizeBytes > 0),
          { x: 0, y: 'label', text: 'words', textAnchor: 'end', dx: -5 },
        ),
        plot.ruleX([0]),
      ],
    }),
  );
}
