// pars report by its command line, over a real guest's memory: figures agree with what an upload really wrote, and what
// is wrong with a command line is said before any work.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { manifestName } from '../../src/catalog/names.js';
import { headSizeBytes } from '../../src/manifest/layout.js';
import {
  comparisonReportSchema,
  fleetReportSchema,
  historyReportSchema,
  reportSchema,
  type SnapshotReport,
  snapshotReportSchema,
} from '../../src/report/model/report.js';
import { fixtureGuest } from '../guest/fixtures.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import { testInWhole } from '../slice.js';
import { listAnswer, uploadAnswer } from './command-answers.js';
import { flipStoredBit, LocalStoreFolder } from './local-store-folder.js';
import { expectPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const setUpTimeoutMs = 400_000;

const answer = uploadAnswer.extend({ stored: z.object({ chosenBytes: z.number() }) });

let guest: SnapshotFixture;
let folder: TemporaryFolder;
let storeUrl: string;
let strictId: string;
let leanId: string;
/** What the strict upload stored, as it said itself. */
let strictStoredBytes: number;

beforeAll(async () => {
  guest = await fixtureGuest('aged');
  folder = await makeTemporaryFolder();
  storeUrl = pathToFileURL(join(folder.path, 'store')).href;
  const upload = async (policy: string) =>
    answer.parse(
      (
        await expectPars(
          0,
          [
            ...['upload', guest.ramPath, '--name', 'aged', '--policy', policy],
            ...['--codec', 'lz4', '--json'],
          ],
          { storeUrl },
        )
      ).json,
    );
  const strict = await upload('strict');
  strictId = strict.id;
  strictStoredBytes = strict.stored.chosenBytes;
  leanId = (await upload('lean')).id;
}, setUpTimeoutMs);

afterAll(() => (folder as TemporaryFolder | undefined)?.remove());

function storedBytes(report: SnapshotReport, id: string): number {
  const found = report.alternatives.find((alternative) => alternative.id === id);
  if (found === undefined) {
    throw new Error(`expected the alternative ${id}, found none`);
  }
  return found.storedBytes;
}

testInWhole(
  'an estimate foretells to the byte what an upload writes, and stores nothing',
  async () => {
    const { json } = await expectPars(0, ['report', '--estimate', guest.ramPath, '--json']);
    const report = snapshotReportSchema.parse(json);
    expect(storedBytes(report, 'pars-strict')).toBe(strictStoredBytes);
    expect(storedBytes(report, 'pars-strict-zstd')).toBeLessThan(strictStoredBytes);
    expect(storedBytes(report, 'raw-r3')).toBe(3 * report.subject.imageSizeBytes);
    expect(report.subject.imagePath).toBe(guest.ramPath);
    expect(report.labels.reduce((sum, { pageCount }) => sum + pageCount, 0)).toBe(
      report.subject.pageCount,
    );
  },
);

test('a stored snapshot is counted as its store holds it, its image in every other way', async () => {
  const { json } = await expectPars(
    0,
    ['report', strictId, '--image', guest.ramPath, '--json', '--nodes', '9', '--price', '20'],
    { storeUrl },
  );
  const report = snapshotReportSchema.parse(json);
  expect(report.subject.id).toBe(strictId);
  expect(storedBytes(report, 'pars-strict')).toBe(strictStoredBytes);
  // Beside the packs there are the manifest and the machine's state.
  const all = storedBytes(report, 'stored');
  expect(all).toBeGreaterThan(strictStoredBytes);
  expect(all).toBeLessThan(strictStoredBytes * 1.01);
  const ids = report.alternatives.map(({ id }) => id);
  for (const id of ['lz4-r3', 'dedup-r3', 'raw-rs63', 'pars-lean']) {
    expect(ids).toContain(id);
  }
  expect(report.assumptions).toMatchObject({ nodeCount: 9, pricePerTbMonth: 20 });
});

test('a VM, a store and two snapshots have reports of their own', async () => {
  const options = { storeUrl };
  const history = historyReportSchema.parse(
    (await expectPars(0, ['report', '--vm', 'aged', '--json'], options)).json,
  );
  expect(history.snapshots.map(({ id }) => id)).toEqual([strictId, leanId]);
  expect(history.snapshots[0].storedBytes).toBe(strictStoredBytes);
  const fleet = fleetReportSchema.parse(
    (await expectPars(0, ['report', '--fleet', '--json'], options)).json,
  );
  expect(fleet).toMatchObject({ vmCount: 1, snapshotCount: 2, unreadableCount: 0 });
  expect(fleet.storedBytes).toBe(
    history.snapshots.reduce((sum, point) => sum + point.storedBytes, 0),
  );
  const comparison = comparisonReportSchema.parse(
    (await expectPars(0, ['report', '--compare', strictId, leanId, '--json'], options)).json,
  );
  expect(comparison.before.subject.id).toBe(strictId);
  expect(comparison.after.subject.id).toBe(leanId);
  expect(storedBytes(comparison.after, 'stored')).toBeLessThan(
    storedBytes(comparison.before, 'stored'),
  );
});

test('the forms go to files, each whole, beside what is printed', async () => {
  const path = (name: string): string => join(folder.path, name);
  const { stdout } = await expectPars(
    0,
    [
      ...['report', leanId, '--html', path('r.html'), '--csv', path('r.csv')],
      ...['--markdown', path('r.md')],
    ],
    { storeUrl },
  );
  expect(stdout).toMatch(/As stored \(policy lean\)/);
  expect(readFileSync(path('r.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/i);
  expect(readFileSync(path('r.csv'), 'utf8')).toMatch(/^snapshot,id,title,/);
  expect(readFileSync(path('r.md'), 'utf8')).toMatch(/^### What /);
});

test('a manifest that cannot be read is told and left out, and the exit code says so', async () => {
  const torn = new LocalStoreFolder(join(folder.path, 'torn'));
  const { url } = torn;
  const image = join(folder.path, 'noise');
  makeRandomImage(image, 1);
  for (const name of ['good', 'bad']) {
    await expectPars(20, ['upload', image, '--name', name], { storeUrl: url });
  }
  const { json: listed } = await expectPars(0, ['list', '--json'], { storeUrl: url });
  const bad = listAnswer.parse(listed).find(({ vm }) => vm === 'bad')?.id ?? '';
  for (const copy of torn.copiesOf(manifestName(bad))) {
    flipStoredBit(copy, headSizeBytes + 10);
  }
  const { json } = await expectPars(10, ['report', '--fleet', '--json'], { storeUrl: url });
  const report = fleetReportSchema.parse(json);
  expect(report).toMatchObject({ snapshotCount: 1, unreadableCount: 1 });
  expect(report.unreadable[0].id).toBe(bad);
});

test.each<[number, RegExp, () => readonly string[]]>([
  [2, /expected one of a snapshot ID/, () => ['report']],
  [2, /found several/, () => ['report', strictId, '--fleet']],
  [2, /expected two snapshots, found 1/, () => ['report', '--compare', strictId]],
  [2, /--nodes: expected a number of DataNodes/, () => ['report', strictId, '--nodes', '2.5']],
  [2, /lies on \d nodes, so there are not 1/, () => ['report', strictId, '--nodes', '1']],
  [2, /--price: expected a price/, () => ['report', '--fleet', '--price', 'cheap']],
  [2, /is no bandwidth/, () => ['report', '--fleet', '--link', '-3']],
  [2, /--disk means nothing without an image/, () => ['report', '--fleet', '--disk', 'x']],
  [2, /--image is the file/, () => ['report', '--fleet', '--image', guest.ramPath]],
  [3, /no such file|not found|ENOENT/i, () => ['report', '--estimate', '/nowhere/ram']],
  [4, /no snapshot ffff/, () => ['report', 'ffff']],
  [4, /no snapshot of nobody/, () => ['report', '--vm', 'nobody']],
])('exit code %i: %s', async (exitCode, message, commandArguments) => {
  const { stderr } = await expectPars(exitCode, commandArguments(), { storeUrl });
  expect(stderr).toMatch(message);
});

test('without a store only an image can be reported on', async () => {
  const { stderr } = await expectPars(2, ['report', '--fleet']);
  expect(stderr).toMatch(/--store URL, or in PARS_STORE/);
});

test('the memory of another moment is refused as the image of a snapshot', async () => {
  const other = join(folder.path, 'other.ram');
  writeFileSync(other, Buffer.alloc(2 ** 20, 'not a kernel'));
  const { stderr } = await expectPars(2, ['report', strictId, '--image', other], { storeUrl });
  expect(stderr).toMatch(/--image: expected the memory of snapshot/);
});

test('an image without a kernel is compared all the same, with an exit code that says so', async () => {
  const noise = join(folder.path, 'noise.ram');
  writeFileSync(noise, Buffer.alloc(4 * 2 ** 20, 'not a kernel'));
  const { json } = await expectPars(20, ['report', '--estimate', noise, '--json']);
  const report = snapshotReportSchema.parse(json);
  expect(report.subject.evidence).toBe('no-kernel');
  expect(report.published.savingFraction).toBe(0);
  expect(reportSchema.parse(json)).toEqual(report);
});
