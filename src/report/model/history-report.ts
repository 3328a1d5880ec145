// The report on one VM's snapshots over time. Pure.
import { olderFirst } from '../../manifest/snapshot-order.js';
import type { ManifestHeader } from '../../manifest/types.js';
import { headerFigures } from './header-figures.js';
import { type HistoryPoint, type HistoryReport, reportVersion } from './report.js';

/** `headers`: of that VM, in any order. */
export function historyReport(
  vm: string,
  headers: readonly ManifestHeader[],
  unreadable: HistoryReport['unreadable'],
): HistoryReport {
  const snapshots = [...headers].sort(olderFirst).map((header): HistoryPoint => {
    const { imageSizeBytes, storedBytes, savingFraction, publishedSavingFraction, labels } =
      headerFigures(header);
    return {
      id: header.id,
      created: new Date(header.createdMs).toISOString(),
      kernel: header.guest?.release ?? null,
      evidence: header.evidence,
      imageSizeBytes,
      storedBytes,
      savingFraction,
      publishedSavingFraction,
      labels: [...labels],
    };
  });
  return { version: reportVersion, kind: 'history', vm, snapshots, unreadable };
}
