// The file as text: it stands alone, says what the report says, and carries nothing that comes from outside as markup.
import { createHash } from 'node:crypto';
import { reportSchema } from '../../../src/report/model/report.js';
import { publishedReport } from '../../../src/report/published-report.js';
import { renderedPages } from './rendered.js';
import { historyReport, snapshotReport } from './sample-reports.js';
import { hostileSample, samples } from './samples.js';

function sameMoment() {
  const report = historyReport(2);
  const [first, second] = report.snapshots;
  return { ...report, snapshots: [first, { ...second, created: first.created }] };
}

let pages: readonly string[];
let again: readonly string[];
let hostilePage: string;
let sameMomentPage: string;

beforeAll(async () => {
  const inputs = [...samples, hostileSample(), { report: sameMoment(), maps: [] }];
  [pages, again] = await Promise.all([renderedPages(inputs), renderedPages(inputs)]);
  [hostilePage, sameMomentPage] = pages.slice(-2);
});

const indexed = samples.map((sample, index) => ({ ...sample, index }));

function pageOf(name: string): string {
  return pages[samples.findIndex((sample) => sample.name === name)].replaceAll('\u00a0', ' ');
}

test.each(samples)('$name: the sample is a report by the schema', ({ report }) => {
  expect(reportSchema.parse(publishedReport(report))).toEqual(report);
});

test.each(indexed)('$name: stands alone, and is the same each time', ({ index }) => {
  const text = pages[index];
  expect(again[index]).toBe(text);
  expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
  const addresses = [...text.matchAll(/\b(?:src|href|action|data)="([^"]*)"/g)];
  expect(addresses.map(([, address]) => address).filter((a) => !/^(#|data:,)/.test(a))).toEqual([]);
  expect(text).not.toMatch(/@import|url\((?!#)/);
  expect(text.length).toBeLessThan(512 * 1024);
  const own = text.replace(/<script>[^]*?<\/script>/, '');
  expect(own).not.toMatch(/NaN|undefined|Infinity|\[object/);
});

test('only the script of the page may run', () => {
  const script = /<script>([^]*?)<\/script>/.exec(pages[0])?.[1] ?? '';
  const hash = createHash('sha256').update(script).digest('base64');
  expect(pages[0]).toContain(`script-src &#39;sha256-${hash}&#39;`);
  expect(pages[0]).toContain('default-src &#39;none&#39;');
});

test.each(indexed)(
  '$name: identifiers are unique, and what refers to one finds it',
  ({ index }) => {
    const text = pages[index];
    const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    const references = [
      ...text.matchAll(
        /\saria-(?:labelledby|describedby)="([^"]*)"|url\(#([^)]*)\)|href="#([^"]*)"/g,
      ),
    ].map(
      (match) => match.slice(1).find((name) => (name as string | undefined) !== undefined) ?? '',
    );
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((id) => !ids.includes(id))).toEqual([]);
  },
);

test('says the figures of the report, with what they rest on', () => {
  const report = snapshotReport();
  const text = pageOf('snapshot');
  expect(text).toContain('53.9 %');
  expect(text).toContain(`${(report.published.savingFraction * 100).toFixed(1)} %`);
  for (const { title, formula } of report.alternatives) {
    expect(text).toContain(title);
    expect(text).toContain(formula);
  }
  for (const { title, reason } of report.notCompared) {
    expect(text).toContain(`<strong>${title}:</strong> ${reason}`);
  }
  for (const source of ['Copysets', 'Patterson, Gibson and Katz', 'HDFS Erasure Coding']) {
    expect(text).toContain(source);
  }
});

test('evidence in doubt is said before anything else is believed', () => {
  const text = pageOf('estimate');
  expect(text).toContain('The evidence is not complete:</strong> no-kernel: no VMCOREINFO');
  expect(text).toContain('not stored: an estimate');
});

test('empty stores and histories say so', () => {
  expect(pageOf('empty fleet')).toContain('holds no snapshot that can be read');
  expect(pageOf('history of none')).toContain(
    'The store has no snapshot of db-01 that can be read',
  );
});

test('of two snapshots at the same moment both are shown, their memory not added up', () => {
  for (const { id } of sameMoment().snapshots) {
    expect(sameMomentPage).toContain(id);
  }
  // The scale of 2 GiB ends there.
  expect(sameMomentPage).toMatch(/>2\.0<\/text>/);
  expect(sameMomentPage).not.toMatch(/>2\.5<\/text>/);
});

test('nothing from outside becomes markup, in charts neither', () => {
  expect(hostilePage).not.toMatch(/<img|<script>alert/);
  expect(hostilePage).not.toMatch(/[\u202e\u0000]/);
  // The page's own and one of data.
  expect([...hostilePage.matchAll(/<\/script/g)].length).toBe(2);
});
