// Reports on a VM and on a store, from headers alone.
import fc from 'fast-check';
import { pageClasses } from '../../../introspect/page-class.js';
import type { ManifestHeader } from '../../../src/manifest/types.js';
import { FleetTally } from '../../../src/report/model/fleet-report.js';
import { headerFigures } from '../../../src/report/model/header-figures.js';
import { historyReport } from '../../../src/report/model/history-report.js';
import { publishedMetric } from '../../../src/report/model/published-metric.js';
import { fleetReportSchema, historyReportSchema } from '../../../src/report/model/report.js';
import { pageSizeBytes } from './figures.js';

function header(changes: Partial<ManifestHeader> = {}): ManifestHeader {
  return {
    id: '0123456789abcdef',
    vm: 'web',
    createdMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    requiredFeatures: [],
    packs: [
      { name: 'packs/a', sizeBytes: 1000, replication: 3 },
      { name: 'packs/b', sizeBytes: 500, replication: 1 },
    ],
    bodies: [],
    pageHashes: [],
    attachments: [],
    guest: { release: '6.1.0', buildId: '' },
    evidence: 'complete',
    labelCounts: { free: 60, anon: 40 },
    legend: pageClasses.map(({ label }) => label),
    imageSizeBytes: 100 * pageSizeBytes,
    ...changes,
  };
}

test('the published metric counts whole pages, critical ones three times', () => {
  const metric = publishedMetric([
    { label: 'free', pageCount: 60 },
    { label: 'anon', pageCount: 40 },
  ]);
  expect(metric).toMatchObject({
    nativeBytes: 300 * pageSizeBytes,
    chosenBytes: (60 + 120) * pageSizeBytes,
    publishedFraction: 0.539,
  });
  expect(metric.savingFraction).toBeCloseTo(0.4, 12);
  expect(metric.byClass.map(({ name, pageCount }) => [name, pageCount])).toEqual([
    ['critical', 40],
    ['expendable', 60],
  ]);
  expect(publishedMetric([]).savingFraction).toBe(0);
});

test('a header gives what its packs take, against three copies of the image', () => {
  const figures = headerFigures(header());
  expect(figures.storedBytes).toBe(3500);
  expect(figures.savingFraction).toBeCloseTo(1 - 3500 / (300 * pageSizeBytes), 12);
  expect(figures.publishedSavingFraction).toBeCloseTo(0.4, 12);
});

test('disks that are stored too count on both sides, and are no memory', () => {
  const figures = headerFigures(header({ labelCounts: { free: 60, anon: 40, disk: 900 } }));
  expect(figures.nativeBytes).toBe(3000 * pageSizeBytes);
  expect(figures.labels.map(({ label }) => label)).toEqual(['free', 'anon']);
});

test('labels that a newer program made up are unknown, and so critical', () => {
  const figures = headerFigures(
    header({ labelCounts: { free: 60, anon: 30, 'quantum-cache': 10 } }),
  );
  expect(figures.labels).toContainEqual({ label: 'unknown', pageCount: 10 });
  expect(figures.publishedSavingFraction).toBeCloseTo(0.4, 12);
});

test('a history goes from the oldest to the newest', () => {
  const report = historyReport(
    'web',
    [header({ id: 'b', createdMs: 2000 }), header({ id: 'a', createdMs: 1000 })],
    [{ id: 'c', reason: 'torn' }],
  );
  expect(report.snapshots.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(historyReportSchema.parse(report)).toEqual(report);
});

test('a fleet is summed over all snapshots, and every one is in one class', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          vm: fc.constantFrom('web', 'db', 'mail'),
          free: fc.nat(1000),
          anon: fc.nat(1000),
          packed: fc.nat(10_000_000),
        }),
        { maxLength: 40 },
      ),
      (snapshots) => {
        const tally = new FleetTally();
        for (const { vm, free, anon, packed } of snapshots) {
          tally.add(
            headerFigures(
              header({
                vm,
                labelCounts: { free, anon },
                imageSizeBytes: (free + anon) * pageSizeBytes,
                packs: [{ name: 'packs/a', sizeBytes: packed, replication: 1 }],
              }),
            ),
          );
        }
        tally.addUnreadable('x', 'torn');
        const report = tally.report('file:///store');
        expect(fleetReportSchema.parse(report)).toEqual(report);
        const total = (of: (snapshot: (typeof snapshots)[number]) => number): number =>
          snapshots.reduce((sum, snapshot) => sum + of(snapshot), 0);
        const classTotal = (of: 'saved' | 'published'): number =>
          report.histogram.reduce((sum, entry) => sum + entry[of], 0);
        expect(classTotal('saved')).toBe(snapshots.length);
        expect(classTotal('published')).toBe(snapshots.length);
        expect(report.storedBytes).toBe(total(({ packed }) => packed));
        expect(report.largest.reduce((sum, { snapshotCount }) => sum + snapshotCount, 0)).toBe(
          snapshots.length,
        );
        expect(report.vmCount).toBe(new Set(snapshots.map(({ vm }) => vm)).size);
        expect(report.unreadableCount).toBe(1);
        expect(report.labels.reduce((sum, { pageCount }) => sum + pageCount, 0)).toBe(
          total(({ free, anon }) => free + anon),
        );
      },
    ),
  );
});

test('savings at the borders of the classes are where they are said to be', () => {
  const tally = new FleetTally();
  const withSaving = (fraction: number): void => {
    tally.add({ ...headerFigures(header()), savingFraction: fraction });
  };
  [-0.01, 0, 0.0999, 0.1, 0.9, 1].forEach(withSaving);
  expect(tally.report('').histogram.map(({ from, to, saved }) => [from, to, saved])).toEqual([
    [null, 0, 1],
    [0, 0.1, 2],
    [0.1, 0.2, 1],
    ...[2, 3, 4, 5, 6, 7, 8].map((tenth) => [tenth / 10, (tenth + 1) / 10, 0]),
    [0.9, 1, 2],
  ]);
});
