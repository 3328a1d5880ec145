// What goes over a fleet reads one header at a time: its memory stays bounded. Totals are those that the fleet was made with. bench/report-fleet.ts asks the same of 10,000 snapshots.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { pageClasses } from '../../introspect/page-class.js';
import { fleetReportSchema } from '../../src/report/model/report.js';
import { expectPars } from '../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { eachInWhole } from '../slice.js';
import { type FleetTruth, writeFleet } from './made-fleet.js';

const reporter = fileURLToPath(new URL('report-peak.mjs', import.meta.url));
const snapshotCount = 2000;
const limitMib = 256;
/** How much Node's objects may take. The headers of so many snapshots are some 90 MiB. */
const listHeapMib = 48;
const timeoutMs = 180_000;

const idOf = (index: number): string => index.toString(16).padStart(16, '0');

let folder: TemporaryFolder;
let url: string;
let truth: FleetTruth;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  url = pathToFileURL(join(folder.path, 'store')).href;
  truth = await writeFleet(url, snapshotCount);
}, timeoutMs);

afterAll(() => folder.remove(), timeoutMs);

test(
  'a fleet of 2000 snapshots is summed up right, below 256 MiB',
  async () => {
    const peakPath = join(folder.path, 'peak');
    const { json } = await expectPars(0, ['report', '--fleet', '--json'], {
      storeUrl: url,
      nodeArguments: ['--import', reporter],
      environment: { PARS_TEST_PEAK: peakPath },
    });
    const report = fleetReportSchema.parse(json);
    expect(report).toMatchObject({
      snapshotCount,
      vmCount: truth.vmCount,
      imageSizeBytes: truth.imageSizeBytes,
      storedBytes: truth.storedBytes,
      unreadableCount: 0,
    });
    expect(report.savingFraction).toBeCloseTo(
      1 - truth.storedBytes / (3 * truth.imageSizeBytes),
      12,
    );
    const labelCounts = report.labels
      .filter(({ pageCount }) => pageCount > 0)
      .map(({ label, pageCount }) => [label, pageCount] as const);
    expect(new Map<string, number>(labelCounts)).toEqual(truth.labels);
    expect(report.publishedSavingFraction).toBeCloseTo(publishedFraction(truth), 12);
    const counted = report.histogram.map(({ saved, published }) => ({ saved, published }));
    expect(sumOf(counted.map(({ saved }) => saved))).toBe(snapshotCount);
    expect(sumOf(counted.map(({ published }) => published))).toBe(snapshotCount);
    const peakMib = Number(readFileSync(peakPath, 'utf8')) / 1024;
    expect(peakMib).toBeGreaterThan(0);
    expect(peakMib).toBeLessThan(limitMib);
  },
  timeoutMs,
);

const readers: readonly (readonly [string, readonly string[]])[] = [
  ['list', ['list']],
  ['list, as JSON', ['list', '--json']],
  ['show', ['show', 'FIRST', '--json']],
];

eachInWhole(readers)(
  '%s of 2000 snapshots keeps what it says, and not their headers',
  async (_, words) => {
    const ids = Array.from({ length: snapshotCount }, (_, index) => idOf(index));
    const { stdout } = await expectPars(
      0,
      words.map((word) => (word === 'FIRST' ? ids[0] : word)),
      { storeUrl: url, nodeArguments: [`--max-old-space-size=${listHeapMib}`] },
    );
    if (words[0] === 'list') {
      const isListed = new Set(ids);
      expect(stdout.match(/[0-9a-f]{16}/g)?.filter((id) => isListed.has(id))).toEqual(ids);
    }
  },
  timeoutMs,
);

/** Critical pages three times and the others once, against all three times. */
function publishedFraction({ labels, imageSizeBytes }: FleetTruth): number {
  const expendable = sumOf(
    pageClasses.map((entry) => (entry.expendable ? (labels.get(entry.label) ?? 0) : 0)),
  );
  return (2 * expendable) / (3 * (imageSizeBytes / pageSizeBytes));
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
