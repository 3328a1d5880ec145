// The moments of a VM's snapshots along an axis: a scale of time, or, of one snapshot, a place of its own.
import type { ScaleOptions } from '@observablehq/plot';
import type { HistoryPoint } from '../../model/report.js';
import { timeInWords } from '../../words.js';
import type { ChartWidth } from './charts.js';

/** Each after the one before it: of two at the same moment a chart would show the sum. */
export function momentsOf(snapshots: readonly HistoryPoint[]): readonly (Date | string)[] {
  if (snapshots.length === 1) {
    return [timeInWords(snapshots[0].created)];
  }
  let previousMs = -Infinity;
  return snapshots.map(({ created }) => {
    previousMs = Math.max(Date.parse(created), previousMs + 1);
    return new Date(previousMs);
  });
}

export function timeScale(width: ChartWidth, snapshots: readonly HistoryPoint[]): ScaleOptions {
  return snapshots.length === 1
    ? { type: 'band', label: null, padding: 0.8 }
    : { type: 'utc', label: 'UTC', labelArrow: 'none', ticks: width === 'wide' ? 8 : 3 };
}
