// The tables are written by a long run, so what can be checked in a moment is: that they say what the results say, that
// README.md and docs/evidence/workloads.md agree with each other, and that every guest is there.
import { readFileSync } from 'node:fs';
import { spreadOf } from '../../bench/samples.js';
import { pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { remedyFor } from './critical-remedies.js';
import { momentFigures } from './moment-figures.js';
import type { Moment } from './moments/observe-moments.js';
import type { SnapshotFigures } from './moments/snapshot-figures.js';
import {
  readmeColumns,
  readmePath,
  readmeTable,
  readReadmeTable,
  tableRows,
  withReadmeTable,
} from './readme-table.js';
import { momentNames, workloadCases, workloads } from './workloads.js';
import { workloadsPath, workloadsText } from './workloads-table.js';

const pageCount = 1000;

/** 600 pages are expendable; of 100 mapped ones the disk holds 90. */
const labelCounts: Partial<Record<PageLabel, number>> = {
  free: 500,
  'file-reread': 100,
  anon: 240,
  'file-clean': 100,
  slab: 60,
};

const sample: SnapshotFigures = {
  evidence: { kind: 'complete' },
  warnings: [],
  image: {
    imageSizeBytes: pageCount * 4096,
    pageCount,
    labels: pageClasses.map(({ label }) => ({
      label,
      pageCount: labelCounts[label] ?? 0,
      zeroPageCount: 0,
    })),
    policies: (['strict', 'disk', 'lean'] as const).map((policy) => ({
      policy,
      replications: [
        {
          replication: 1,
          nonZeroPageCount: 600,
          packedBytes: 400 * 4096,
          zstdPackedBytes: 300 * 4096,
          packCount: 1,
        },
        {
          replication: 3,
          nonZeroPageCount: 400,
          packedBytes: 150 * 4096,
          zstdPackedBytes: 100 * 4096,
          packCount: 1,
        },
      ],
    })),
    uniquePageCount: 900,
    lz4Bytes: 500 * 4096,
    zstdBytes: undefined,
  },
  diskHeld: [
    { label: 'file-clean', pageCount: 100, comparedPageCount: 100, heldPageCount: 90 },
    { label: 'file-reread', pageCount: 100, comparedPageCount: 100, heldPageCount: 100 },
  ],
};

function momentOf(name: Moment['name'], figures: Partial<SnapshotFigures> = {}): Moment {
  const meminfo = { MemTotal: 1000, MemFree: 250, Cached: 125 };
  return { name, progress: 7, uptimeSeconds: 60, meminfo, figures: { ...sample, ...figures } };
}

const [firstCase] = workloadCases;
const dumped = momentOf('middle', { dump: { sizeBytes: 400 * 4096 } });
const doubted = momentOf('late', {
  evidence: { kind: 'partial', reason: 'a list has no end' },
  dump: { failure: 'not supported' },
});
const results = [
  [firstCase, { release: '6.1.0', moments: [momentOf('early'), dumped, doubted], seconds: 1 }],
] as const;

test('a moment is told in fractions of the raw file stored three times', () => {
  const figures = momentFigures(dumped);
  expect(figures.expendableFraction).toBeCloseTo(0.6);
  // 400 pages three times and 600 once, of 3000.
  expect(figures.plannedFraction).toBeCloseTo(1 - 1800 / 3000);
  // What the disk holds of mapped cache counts once too; what is expendable anyway does not count twice.
  expect(figures.plannedDiskFraction).toBeCloseTo(1 - (310 * 3 + 690) / 3000);
  expect(figures.savingFractions.strict).toBeCloseTo(1 - (300 + 300) / 3000);
  expect(figures.strictLz4Fraction).toBeCloseTo(1 - (400 + 450) / 3000);
  // Less than a stripe: parity is as long as the data, three times.
  expect(figures.strictCodedFraction).toBeCloseTo(1 - (300 + 400) / 3000);
  expect(figures.lz4Fraction).toBeCloseTo(0.5);
  expect(figures.zstdFraction).toBeUndefined();
  expect(figures.zstdCodedFraction).toBeUndefined();
  expect(figures.strictOfZstd).toBeUndefined();
  const withZstd = { ...sample, image: { ...sample.image, zstdBytes: 250 * 4096 } };
  expect(momentFigures(momentOf('early', withZstd))).toMatchObject({
    zstdFraction: expect.closeTo(0.75) as number,
    zstdCodedFraction: expect.closeTo(1 - 1000 / 3000) as number,
    strictOfZstd: expect.closeTo(600 / 750) as number,
  });
  expect(figures.dumpFraction).toBeCloseTo(0.6);
  expect(figures.critical).toEqual([
    { label: 'anon', criticalFraction: 0.6, heldFraction: undefined },
    { label: 'file-clean', criticalFraction: 0.25, heldFraction: 0.9 },
    { label: 'slab', criticalFraction: 0.15, heldFraction: undefined },
  ]);
});

test('workloads.md has a row for each moment, its findings, and what the rest is', async () => {
  const text = await workloadsText(results);
  const [early, middle, late] = tableRows(text);
  expect(early).toEqual([
    ...[firstCase.workload.name, '6.1.0', 'early', '7', '25.00 %', '12.50 %', 'complete'],
    ...['60.00 %', '40.00 %', '46.00 %', '80.00 %', '80.00 %', '80.00 %'],
    ...['71.67 %', '76.67 %', '50.00 %', '', '', '', ''],
  ]);
  expect(middle.at(-1)).toBe('60.00 %');
  expect(late.at(-1)).toBe('failed');
  const prose = text.replaceAll(/\s+/g, ' ');
  expect(prose).toContain('late: partial: a list has no end');
  expect(prose).toContain('late: makedumpfile: not supported');
  expect(prose).toContain(`\`anon\`, 60.00 %. ${remedyFor('anon')}`);
  expect(prose).toContain('The disk holds 90.00 % of it.');
});

test('the README has the median of each workload, and the published figure', async () => {
  const before = 'a\n\n<!-- report:workloads -->\nold\n<!-- /report:workloads -->\n\nb\n';
  const text = withReadmeTable(before, await readmeTable(results));
  expect(readReadmeTable(text)).toEqual([
    [firstCase.workload.name, '40.0 %', '50.0 %', '', '80.0 %', '80.0 %', '80.0 %'],
    ['as published', '53.9 %', '', '', '', '', ''],
  ]);
  expect(text).not.toContain('old');
  expect(text.startsWith('a\n') && text.endsWith('b\n')).toBe(true);
  expect(() => withReadmeTable('no marks', '')).toThrow(/expected <!-- report:workloads -->/);
});

const columnsInWorkloads = ['3 and 1', 'lz4', 'zstd', 'strict', 'disk', 'lean'];

test('workloads.md has every guest at every moment, with evidence', () => {
  const rows = tableRows(readFileSync(workloadsPath, 'utf8'));
  expect(rows.map(([workload, , moment]) => [workload, moment])).toEqual(
    workloadCases.flatMap(({ workload }) => momentNames.map((moment) => [workload.name, moment])),
  );
  rows.forEach(([, release, , , , , evidence], index) => {
    const { series } = workloadCases[Math.floor(index / momentNames.length)];
    expect(release.startsWith(series)).toBe(true);
    expect(['complete', 'partial']).toContain(evidence);
  });
});

test("the README's medians are those of the rows of workloads.md", () => {
  const text = readFileSync(workloadsPath, 'utf8');
  const header = text
    .split('\n')
    .find((line) => line.startsWith('| Workload'))
    ?.split('|')
    .map((cell) => cell.trim())
    .slice(1, -1);
  const rows = tableRows(text);
  const written = readReadmeTable(readFileSync(readmePath, 'utf8'));
  expect(columnsInWorkloads).toHaveLength(readmeColumns.length);
  for (const { name } of workloads) {
    const cells = written.find(([workload]) => workload === name) ?? [];
    columnsInWorkloads.forEach((column, index) => {
      const place = header?.indexOf(column) ?? -1;
      expect(place).toBeGreaterThan(0);
      const values = rows
        .filter(([workload]) => workload === name)
        .map((row) => Number.parseFloat(row[place]));
      // Both are rounded, to two places and to one.
      expect(
        Math.abs(Number.parseFloat(cells[index + 1]) - spreadOf(values).median),
      ).toBeLessThanOrEqual(0.06);
    });
  }
});
