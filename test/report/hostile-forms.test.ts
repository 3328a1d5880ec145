// Reports of a guest, a VM and errors with hostile names: in each form they stay text.
import { decode } from 'fast-png';
import { reportCsv } from '../../src/report/csv.js';
import { markup } from '../../src/report/html/markup.js';
import { reportMarkdown } from '../../src/report/markdown.js';
import type { Report } from '../../src/report/model/report.js';
import { snapshotReport } from '../../src/report/model/snapshot-report.js';
import { drawingToPng } from '../../src/report/png.js';
import { drawingToSvg } from '../../src/report/svg.js';
import { hostileTexts, unseenIn } from '../text/hostile-text.js';
import { assumptions, figures } from './model/figures.js';

const texts = Object.entries(hostileTexts);

function reportsWith(text: string): readonly Report[] {
  const report = snapshotReport({
    subject: {
      id: null,
      vm: text,
      imagePath: text,
      created: null,
      kernel: text,
      evidence: text,
    },
    figures,
    assumptions,
  });
  const unreadable = [{ id: text, reason: text }];
  return [
    report,
    { version: 1, kind: 'comparison', before: report, after: report },
    { version: 1, kind: 'history', vm: text, snapshots: [], unreadable },
  ];
}

test.each(texts)('Markdown: %s', (_, text) => {
  for (const report of reportsWith(text)) {
    const markdown = reportMarkdown(report);
    expect(unseenIn(markdown)).toEqual([]);
    // Code spans are ours, and hold nothing that could end them.
    const outside = markdown
      .replace(/(?<!\\)`[\w.:/ @-]+`/g, '')
      .replaceAll(/<\/?(?:details|summary)>/g, '');
    expect(outside).not.toMatch(/(?<!\\)(?:\\\\)*[<>`@&]/);
    expect(outside).not.toMatch(/(?<!\\):\/\/|www\.evil/);
    // Headings and rows are ours: none is made by a name.
    expect(markdown.match(/^#/gm)).toHaveLength(1);
    const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
    expect(new Set(rows.map((row) => row.split(/(?<!\\)\|/).length)).size).toBeLessThan(2);
  }
});

test.each(texts)('CSV: %s', (_, text) => {
  const [report] = reportsWith(text);
  const lines = reportCsv(report).trimEnd().split('\r\n');
  expect(unseenIn(lines.join('\n'))).toEqual([]);
  for (const line of lines) {
    expect(line).not.toMatch(/^"?[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/);
    expect(line).not.toContain('\n');
  }
});

test('CSV: numbers stay numbers, also below zero', () => {
  const report: Report = {
    version: 1,
    kind: 'history',
    vm: '-1',
    snapshots: [
      {
        id: '0123456789abcdef',
        created: '2026-01-02T03:04:05.000Z',
        kernel: null,
        evidence: 'complete',
        imageSizeBytes: 1,
        storedBytes: 2,
        savingFraction: -1.5,
        publishedSavingFraction: 0,
        labels: [],
      },
    ],
    unreadable: [],
  };
  expect(reportCsv(report)).toMatch(/\r\n'-1,0123456789abcdef,.*,-1\.5,0\r\n$/);
});

test.each(texts)('pictures and HTML: %s', (_, text) => {
  const drawing = {
    width: 10,
    height: 10,
    title: text,
    description: text,
    shapes: [],
    outlines: [],
    texts: [{ x: 0, baseline: 8, text, alignment: 'left', scale: 1 } as const],
  };
  const svg = drawingToSvg(drawing);
  expect(unseenIn(svg)).toEqual([]);
  expect(svg).not.toContain('<script');
  const png = decode(drawingToPng(drawing));
  expect(Object.keys(png.text)).toEqual(['Title', 'Description']);
  const html = markup`<p title="${text}">${text}</p>`.text;
  expect(unseenIn(html.replaceAll('\t', ''))).toEqual([]);
  expect(html.match(/</g)).toHaveLength(2);
});
