import { compareAlternatives } from '../../../src/report/model/alternatives.js';
import { alternativeSchema } from '../../../src/report/model/report.js';
import { publishedAlternative } from '../../../src/report/published-report.js';
import { copies } from '../../../src/store/redundancy.js';
import { assumptions, figures, pageSizeBytes } from './figures.js';

const { alternatives, notCompared } = compareAlternatives(figures, assumptions);
const storedBytes = (id: string): number | undefined =>
  alternatives.find((alternative) => alternative.id === id)?.storedBytes;

test('every way of keeping the image takes what its formula says', () => {
  const image = 1000 * pageSizeBytes;
  expect(storedBytes('raw-r3')).toBe(3 * image);
  // Less than one stripe each: parity is as long as its longest cell, 1 MiB.
  expect(storedBytes('raw-rs63')).toBe(image + 3 * 2 ** 20);
  expect(storedBytes('raw-rs32')).toBe(image + 2 * 2 * 2 ** 20 - 2 * (4 * 2 ** 20 - image));
  expect(storedBytes('sparse-r3')).toBe(3 * 850 * pageSizeBytes);
  expect(storedBytes('savevm-r3')).toBe(3 * (850 * (pageSizeBytes + 8) + 150 * 9));
  expect(storedBytes('lz4-r3')).toBe(3 * 1_800_000);
  expect(storedBytes('zstd-r3')).toBe(3 * 1_500_000);
  expect(storedBytes('dedup-r3')).toBe(3 * (800 * pageSizeBytes + 1000 * 8));
  // Neither free pages nor those of processes.
  expect(storedBytes('dump-r3')).toBe(3 * 100 * pageSizeBytes);
  expect(storedBytes('pars-strict')).toBe(1_000_000 + 3 * 700_000);
  expect(storedBytes('pars-strict-zstd')).toBe(800_000 + 3 * 600_000);
  expect(storedBytes('pars-strict-rs63')).toBe(800_000 + 600_000 + 3 * 600_000);
  expect(storedBytes('pars-strict-plain')).toBe((500 + 3 * 350) * pageSizeBytes);
  expect(notCompared).toEqual([]);
});

test('all are held against the raw file three times, which comes first', () => {
  expect(alternatives[0].id).toBe('raw-r3');
  for (const { savingFraction, storedBytes: bytes } of alternatives) {
    expect(savingFraction).toBeCloseTo(1 - bytes / (3 * figures.imageSizeBytes), 12);
  }
  expect(new Set(alternatives.map(({ id }) => id)).size).toBe(alternatives.length);
  expect(alternatives.map((entry) => alternativeSchema.parse(publishedAlternative(entry)))).toEqual(
    alternatives,
  );
});

test('only the dump cannot be resumed, and only what is stored once heals', () => {
  expect(alternatives.filter(({ resumes }) => !resumes).map(({ id }) => id)).toEqual(['dump-r3']);
  for (const { id, parts } of alternatives) {
    const heals = parts.filter(({ ifLost }) => ifLost === 'heals');
    expect(heals.length).toBe(id.startsWith('pars-') ? 1 : 0);
    for (const { redundancy } of heals) {
      expect(redundancy).toEqual(copies(1));
    }
  }
});

test('what was not measured, or has too few nodes, is not compared, with the reason', () => {
  const compared = compareAlternatives(
    {
      ...figures,
      labels: figures.labels.map((line) =>
        line.label === 'free' ? { ...line, zeroPageCount: undefined } : line,
      ),
      uniquePageCount: undefined,
      lz4Bytes: undefined,
      zstdBytes: undefined,
    },
    { ...assumptions, nodeCount: 5 },
  );
  expect(compared.alternatives.map(({ id }) => id)).toEqual([
    'raw-r3',
    'raw-rs32',
    'dump-r3',
    'pars-strict',
    'pars-strict-zstd',
    'pars-strict-plain',
  ]);
  expect(compared.notCompared).toEqual([
    { title: 'Without zero pages', reason: expect.stringContaining('--image') as string },
    { title: 'Compressed with lz4', reason: expect.stringContaining('--image') as string },
    { title: 'Compressed with zstd', reason: expect.stringContaining('--image') as string },
    { title: 'Equal pages stored once', reason: expect.stringContaining('--image') as string },
    { title: 'Raw file, RS-6-3', reason: 'it needs 9 DataNodes, and there are 5' },
    {
      title: 'PARS strict, critical part RS-6-3',
      reason: 'it needs 9 DataNodes, and there are 5',
    },
  ]);
});

test('packs that are stored are of the codecs they were stored by, and of no other', () => {
  const stored = compareAlternatives(
    {
      ...figures,
      policies: figures.policies.map(({ policy, replications }) => ({
        policy,
        replications: replications.map((entry) => ({ ...entry, zstdPackedBytes: undefined })),
      })),
    },
    assumptions,
  );
  const titles = stored.alternatives.filter(({ family }) => family === 'pars');
  expect(titles.map(({ id, title }) => [id, title])).toEqual([
    ['pars-strict', 'PARS strict'],
    ['pars-strict-plain', 'PARS strict, not compressed'],
    ['pars-strict-rs63', 'PARS strict, critical part RS-6-3'],
  ]);
});

test('what is stored counts as the store counts it, and stands last', () => {
  const { parts } = alternatives[alternatives.length - 1];
  const withStored = compareAlternatives(figures, assumptions, {
    policy: 'strict',
    parts,
    storedBytes: 12_345,
    placement: undefined,
  });
  expect(withStored.alternatives.at(-1)).toMatchObject({
    id: 'stored',
    basis: 'stored',
    storedBytes: 12_345,
  });
});
