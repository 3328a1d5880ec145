// One snapshot, or an image that is not stored, against every alternative.
import type { SnapshotReport } from '../../model/report.js';
import { costTable, formulaTable, riskNote, storedTable } from '../alternatives.js';
import type { Charts } from '../charts/charts.js';
import { memoryMap, type MemoryMapData } from '../charts/memory-map.js';
import { storedBytesChart } from '../charts/stored-bytes-chart.js';
import { headline } from '../headline.js';
import { labelTable, publishedTable } from '../labels.js';
import { markup } from '../markup.js';
import { assumptionFacts, methodList, notComparedList } from '../method.js';
import type { Page, Section } from '../sections.js';
import { evidenceWarning, nameOf, subjectFacts } from '../subject.js';

export function snapshotPage(
  charts: Charts,
  report: SnapshotReport,
  maps: readonly MemoryMapData[],
): Page {
  const { subject, labels, published, assumptions } = report;
  const sections: readonly Section[] = [
    {
      id: 'saving',
      title: 'What it saves',
      content: [headline(report), evidenceWarning(subject) ?? '', subjectFacts(subject)],
    },
    {
      id: 'alternatives',
      title: 'Against the alternatives',
      content: [
        storedBytesChart(charts, 'stored-chart', report.alternatives),
        storedTable(report),
        riskNote(report),
      ],
    },
    { id: 'cost', title: 'What it costs', content: costTable(report) },
    {
      id: 'labels',
      title: 'Pages by label',
      content: [
        labelTable(labels, subject.pageCount),
        publishedTable(published, 'published-table'),
      ],
    },
    ...mapSection(maps),
    { id: 'not-compared', title: 'Not compared', content: notComparedList(report) },
    {
      id: 'method',
      title: 'Assumptions, formulas and sources',
      content: [assumptionFacts(assumptions), methodList(), formulaTable(report, 'formula-table')],
    },
  ];
  return {
    title: `What storing ${nameOf(subject)} saves`,
    summary:
      subject.id === null
        ? markup`An estimate of an image that is not stored, against every alternative.`
        : markup`One snapshot of its memory against every alternative.`,
    sections,
  };
}

/** None where no labels are at hand. */
export function mapSection(maps: readonly MemoryMapData[]): readonly Section[] {
  return maps.length === 0
    ? []
    : [
        {
          id: 'map',
          title: 'Map of memory by label',
          content: maps.map((map, index) => memoryMap(`map-${index + 1}`, map)),
        },
      ];
}
