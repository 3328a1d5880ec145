// The forms of a report that are text: what they say is what the model says, and nothing in a name breaks out of them.
import { reportText } from '../../src/cli/report/text.js';
import { reportCsv } from '../../src/report/csv.js';
import { reportMarkdown } from '../../src/report/markdown.js';
import { FleetTally } from '../../src/report/model/fleet-report.js';
import type { Report, SnapshotReport } from '../../src/report/model/report.js';
import { snapshotReport } from '../../src/report/model/snapshot-report.js';
import { flatLines } from '../../src/text/standard-streams.js';
import { assumptions, figures } from './model/figures.js';

const report: SnapshotReport = snapshotReport({
  subject: {
    id: null,
    vm: null,
    imagePath: '/vm/a|b, "c" <script>.ram',
    created: null,
    kernel: '6.1.0-56-cloud-amd64',
    evidence: 'complete',
  },
  figures,
  assumptions,
});
const fleet = new FleetTally().report('file:///store');
const point = {
  id: '0123456789abcdef',
  created: '2026-01-02T03:04:05.000Z',
  kernel: null,
  evidence: 'complete',
  imageSizeBytes: 2 ** 30,
  storedBytes: 2 ** 29,
  savingFraction: 0.833,
  publishedSavingFraction: 0.4,
  labels: [{ label: 'free' as const, pageCount: 7 }],
};
const reports: Readonly<Record<Report['kind'], Report>> = {
  snapshot: report,
  comparison: { version: 1, kind: 'comparison', before: report, after: report },
  history: { version: 1, kind: 'history', vm: 'web', snapshots: [point], unreadable: [] },
  fleet,
};

const textOf = (entry: Report): string => flatLines(reportText(entry)).join('\n');

test.each(Object.values(reports))('$kind fits a terminal of 80 columns', (entry) => {
  for (const line of textOf(entry).split('\n')) {
    // The path of an image is as long as it is.
    if (!line.startsWith('image ')) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
  }
});

test('the terminal has every alternative with its saving, and what is assumed', () => {
  const text = textOf(report);
  expect(text).toMatch(/^Raw file x 3 +11\.7 MiB +0\.0 % +computed +yes$/m);
  expect(text).toMatch(/^makedumpfile -d 31 x 3 .* no$/m);
  expect(text).toMatch(/40\.0 % saved \(published: 53\.9 %\)/);
  expect(text).toMatch(/12 nodes/);
});

test('CSV has a row for each alternative, and quotes what would break a row', () => {
  const lines = reportCsv(report).trim().split('\r\n');
  expect(lines).toHaveLength(1 + report.alternatives.length);
  expect(lines[0]).toMatch(/^snapshot,id,title,/);
  expect(lines[1]).toContain('"/vm/a|b, ""c"" <script>.ram",raw-r3,');
  expect(lines[1]).toContain(String(report.alternatives[0].storedBytes));
});

test('CSV of a history and of a store has their snapshots and VMs', () => {
  expect(reportCsv(reports.history)).toBe(
    'vm,id,created,kernel,evidence,imageSizeBytes,storedBytes,savingFraction,publishedSavingFraction,pages free\r\n' +
      'web,0123456789abcdef,2026-01-02T03:04:05.000Z,,complete,1073741824,536870912,0.833,0.4,7\r\n',
  );
  expect(reportCsv(fleet)).toBe('');
});

test('Markdown shows names as they are', () => {
  const text = reportMarkdown(report);
  expect(text).toContain('/vm/a\\|b, "c" \\<script\\>.ram');
  expect(text).not.toMatch(/[^\\]<script/);
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  expect(rows).toHaveLength(2 + report.alternatives.length);
  expect(new Set(rows.map((row) => row.split(/(?<!\\)\|/).length))).toEqual(new Set([11]));
});

test.each(Object.values(reports))('$kind is something in each form', (entry) => {
  expect(reportMarkdown(entry)).toMatch(/^### .+\n/);
  expect(textOf(entry).length).toBeGreaterThan(50);
});
