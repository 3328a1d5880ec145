// A report in the words of report.schema.json, which are published and stay, whatever a redundancy is called inside.
import type { z } from 'zod';
import type { Redundancy } from '../store/redundancy.js';
import type {
  Alternative,
  alternativeSchema,
  redundancySchema,
  Report,
  reportSchema,
  SnapshotReport,
  snapshotReportSchema,
} from './model/report.js';

export function publishedReport(report: Report): z.input<typeof reportSchema> {
  switch (report.kind) {
    case 'snapshot':
      return publishedSnapshot(report);
    case 'comparison':
      return {
        ...report,
        before: publishedSnapshot(report.before),
        after: publishedSnapshot(report.after),
      };
    case 'history':
    case 'fleet':
      return report;
  }
}

export function publishedAlternative(alternative: Alternative): z.input<typeof alternativeSchema> {
  return {
    ...alternative,
    parts: alternative.parts.map((part) => ({
      ...part,
      redundancy: publishedRedundancy(part.redundancy),
    })),
  };
}

function publishedSnapshot(report: SnapshotReport): z.input<typeof snapshotReportSchema> {
  return { ...report, alternatives: report.alternatives.map(publishedAlternative) };
}

function publishedRedundancy(redundancy: Redundancy): z.input<typeof redundancySchema> {
  return redundancy.kind === 'copies'
    ? { kind: 'replication', copies: redundancy.count }
    : {
        kind: 'erasure-coding',
        dataUnits: redundancy.dataUnitCount,
        parityUnits: redundancy.parityUnitCount,
      };
}
