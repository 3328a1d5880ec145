// A report as one HTML file that stands alone: style, script, charts and labels are in it, and it asks the network for
// nothing. The same report gives the same file.
import type { Report } from '../model/report.js';
import { type Charts, loadCharts } from './charts/charts.js';
import type { MemoryMapData } from './charts/memory-map.js';
import { documentText } from './document.js';
import { readPageFiles } from './page-files.js';
import { comparisonPage } from './reports/comparison-page.js';
import { fleetPage } from './reports/fleet-page.js';
import { historyPage } from './reports/history-page.js';
import { snapshotPage } from './reports/snapshot-page.js';
import type { Page } from './sections.js';

export interface HtmlExtras {
  /** Labels of the snapshots, where they are at hand; none for histories and stores. */
  readonly maps: readonly MemoryMapData[];
}

export async function renderHtml(report: Report, extras: HtmlExtras): Promise<string> {
  return documentText(pageOf(await loadCharts(), report, extras), readPageFiles());
}

function pageOf(charts: Charts, report: Report, { maps }: HtmlExtras): Page {
  switch (report.kind) {
    case 'snapshot':
      return snapshotPage(charts, report, maps);
    case 'history':
      return historyPage(charts, report);
    case 'fleet':
      return fleetPage(charts, report);
    case 'comparison':
      return comparisonPage(charts, report, maps);
  }
}
