import { reportMarkdown } from '../../src/report/markdown.js';
import { snapshotReport } from '../../src/report/model/snapshot-report.js';
import { notSmallest } from '../../src/report/smallest.js';
import { assumptions, figures } from './model/figures.js';

const subject = {
  id: null,
  vm: null,
  imagePath: 'ram',
  created: null,
  kernel: null,
  evidence: 'complete',
};
/** PARS by zstd takes 2.6 million bytes. Four nodes are too few for erasure coding. */
const reportWith = (zstdBytes: number) =>
  snapshotReport({
    subject,
    figures: { ...figures, lz4Bytes: 3_000_000, zstdBytes },
    assumptions: { ...assumptions, nodeCount: 4 },
  });

/** With spaces that break. */
const words = (text: string | undefined) => text?.replaceAll('\u00a0', ' ');

test('where another way is smaller the report says so, with which and by how much', () => {
  const report = reportWith(650_000);
  expect(words(notSmallest(report))).toBe(
    'PARS is not the smallest here. Smallest is "Compressed with zstd, replication 3" with 1.9 MiB on all disks, ' +
      '0.75 of "PARS strict, zstd" with 2.5 MiB.',
  );
  const [, first] = reportMarkdown(report).split('\n\n');
  expect(first).toMatch(/^PARS is not the smallest here\./);
});

test('where PARS is the smallest nothing of it is said', () => {
  const report = reportWith(2_000_000);
  expect(notSmallest(report)).toBeUndefined();
  expect(reportMarkdown(report)).not.toContain('not the smallest');
});

test('a dump that no VM can be resumed from is no smaller way', () => {
  const dump = reportWith(2_000_000).alternatives.find(({ id }) => id === 'dump-r3');
  const pars = reportWith(2_000_000).alternatives.find(({ id }) => id === 'pars-strict-zstd');
  expect(dump?.storedBytes).toBeLessThan(pars?.storedBytes ?? 0);
});

test('what is stored is held against the rest as it is stored', () => {
  const report = reportWith(800_000);
  const [{ parts }] = report.alternatives;
  const stored = snapshotReport({
    subject,
    figures,
    assumptions: { ...assumptions, nodeCount: 4 },
    stored: { policy: 'strict', parts, storedBytes: 9_000_000, placement: undefined },
  });
  expect(words(notSmallest(stored))).toContain(
    'of "As stored (policy strict)" with 8.6 MiB; 1 other is smaller too.',
  );
});
