// The report on one snapshot or image, from its figures. Pure.
import { pageClasses } from '../../../introspect/page-class.js';
import { compareAlternatives, type StoredParts } from './alternatives.js';
import type { ImageFigures } from './image-figures.js';
import { publishedMetric, publishedReplication } from './published-metric.js';
import {
  type Assumptions,
  type LabelLine,
  reportVersion,
  type SnapshotReport,
  type Subject,
} from './report.js';

export interface SnapshotReportInput {
  readonly subject: Omit<Subject, 'imageSizeBytes' | 'pageCount'>;
  readonly figures: ImageFigures;
  readonly assumptions: Assumptions;
  /** What a store holds of the snapshot; absent for an image that is not stored. */
  readonly stored?: StoredParts | undefined;
}

export function snapshotReport({
  subject,
  figures,
  assumptions,
  stored,
}: SnapshotReportInput): SnapshotReport {
  const { imageSizeBytes, pageCount, labels } = figures;
  return {
    version: reportVersion,
    kind: 'snapshot',
    subject: { ...subject, imageSizeBytes, pageCount },
    labels: labels.map(({ label, pageCount: count, zeroPageCount }): LabelLine => ({
      label,
      expendable: pageClasses.some((entry) => entry.label === label && entry.expendable),
      pageCount: count,
      zeroPageCount: zeroPageCount ?? null,
      replication: publishedReplication(label),
    })),
    published: publishedMetric(labels),
    ...compareAlternatives(figures, assumptions, stored),
    assumptions,
  };
}
