// The figure that is published for storing by page: whole pages, critical ones three times and the others once, against
// three copies of everything. Neither zero pages nor compression count.
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { pageClasses, type PageLabel } from '../../../introspect/page-class.js';
import { nativeReplication, savingOf } from '../../plan/saving.js';
import type { PublishedMetric } from './report.js';

/** The best result that is published. */
export const publishedFraction = 0.539;

/** Copies of pages of that label. */
export function publishedReplication(label: PageLabel): number {
  return expendable.has(label) ? 1 : nativeReplication;
}

const expendable: ReadonlySet<PageLabel> = new Set(
  pageClasses.filter((entry) => entry.expendable).map(({ label }) => label),
);

export function publishedMetric(
  labels: readonly { readonly label: PageLabel; readonly pageCount: number }[],
): PublishedMetric {
  const byClass = (['critical', 'expendable'] as const).map((name) => {
    const pageCount = labels
      .filter(({ label }) => expendable.has(label) === (name === 'expendable'))
      .reduce((sum, entry) => sum + entry.pageCount, 0);
    const copies = name === 'expendable' ? 1 : nativeReplication;
    return {
      name,
      pageCount,
      nativeBytes: pageCount * pageSizeBytes * nativeReplication,
      chosenBytes: pageCount * pageSizeBytes * copies,
    };
  });
  const nativeBytes = byClass.reduce((sum, entry) => sum + entry.nativeBytes, 0);
  const chosenBytes = byClass.reduce((sum, entry) => sum + entry.chosenBytes, 0);
  return {
    ...savingOf(nativeBytes, chosenBytes),
    publishedFraction,
    byClass,
  };
}
