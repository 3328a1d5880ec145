// One page of every kind, and of what is easily forgotten: a single snapshot, none, an empty store, doubt.
import type { RenderInput } from './rendered.js';
import {
  comparisonReport,
  doubtfulEstimate,
  emptyFleetReport,
  fleetReport,
  historyReport,
  memoryMapData,
  snapshotReport,
} from './sample-reports.js';

export interface Sample extends RenderInput {
  readonly name: string;
  /** Without maps. */
  readonly chartCount: number;
}

export const samples: readonly Sample[] = [
  { name: 'snapshot', report: snapshotReport(), maps: [memoryMapData()], chartCount: 1 },
  { name: 'estimate', report: doubtfulEstimate(), maps: [], chartCount: 1 },
  { name: 'history', report: historyReport(28), maps: [], chartCount: 2 },
  { name: 'history of one', report: historyReport(1), maps: [], chartCount: 2 },
  { name: 'history of none', report: historyReport(0), maps: [], chartCount: 0 },
  { name: 'fleet', report: fleetReport(), maps: [], chartCount: 2 },
  { name: 'empty fleet', report: emptyFleetReport(), maps: [], chartCount: 0 },
  {
    name: 'comparison',
    report: comparisonReport(),
    maps: [memoryMapData(), memoryMapData()],
    chartCount: 2,
  },
];

const hostile = `</script></title></svg><img src=x onerror=alert(1)><script>alert(2)</script>"'&`;

/** Every string that comes from outside tries to be more than text. */
export function hostileSample(): RenderInput & { readonly hostile: string } {
  const report = snapshotReport();
  return {
    hostile,
    report: {
      ...report,
      subject: {
        ...report.subject,
        ...{ id: hostile, vm: hostile, kernel: hostile, evidence: hostile, imagePath: hostile },
      },
      alternatives: report.alternatives.map((entry) => ({
        ...entry,
        title: `${hostile} ${entry.title}\u2028\u202e\u0000`,
        formula: hostile,
        note: hostile,
      })),
      notCompared: [{ title: hostile, reason: hostile }],
    },
    maps: [{ ...memoryMapData(), title: hostile }],
  };
}
