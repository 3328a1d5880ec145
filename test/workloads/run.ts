// Boots a guest with a Debian userland for every workload and kernel, measures its memory at three moments, and writes
// docs/evidence/workloads.md and the README's table from that:
//
//   npm run report:readme -- [--at-once=2] [--only=mariadb]
//
// Guests that were done are not booted again until the sources change. The tables are written once all are done.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { findKernelPackage } from '../guest/kernel-package.js';
import { percent } from '../matrix/figures.js';
import { momentFigures } from './moment-figures.js';
import { observeMoments } from './moments/observe-moments.js';
import { writeReadmeTable } from './readme-table.js';
import { type CaseResult, readResult, writeResult } from './results.js';
import { userlandImage } from './userland/image.js';
import { caseName, type WorkloadCase, workloadCases } from './workloads.js';
import { workloadsPath, writeWorkloadsTable } from './workloads-table.js';

const guestsAtOnceMax = 2;

const { values } = parseArgs({
  options: {
    'at-once': { type: 'string', default: String(guestsAtOnceMax) },
    only: { type: 'string', default: '' },
  },
});
const startMs = Date.now();
const work = mkdtempSync(join(tmpdir(), 'pars-workloads-'));
// Before any guest's own handler, which ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    rmSync(work, { recursive: true, force: true });
    process.kill(process.pid, signal);
  });
}
try {
  const imagePath = await userlandImage(console.log);
  const limit = pLimit(Math.min(guestsAtOnceMax, Number(values['at-once'])));
  const wanted = workloadCases.filter((entry) => caseName(entry).includes(values.only));
  await Promise.all(wanted.map((entry) => limit(() => runCase(entry, imagePath))));
  await report();
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function runCase(entry: WorkloadCase, imagePath: string): Promise<void> {
  const name = caseName(entry);
  if (readResult(entry) !== undefined) {
    console.log(`${name}: done before`);
    return;
  }
  const caseStartMs = Date.now();
  try {
    const kernel = findKernelPackage(entry.series, entry.flavour);
    const moments = await observeMoments(
      entry.workload,
      kernel,
      imagePath,
      join(work, name),
      (moment) => {
        const { evidence, plannedFraction, savingFractions } = momentFigures(moment);
        console.log(
          `${name} ${moment.name}: ${moment.progress} ${entry.workload.unit}, ` +
            `${secondsSince(caseStartMs)} s, evidence ${evidence}, pages at 3 and 1 ` +
            `${percent(plannedFraction)}, strict ${percent(savingFractions.strict)}`,
        );
      },
    );
    writeResult(entry, { release: kernel.release, moments, seconds: secondsSince(caseStartMs) });
  } catch (error) {
    console.log(`${name}: ${(error as Error).stack ?? String(error)}`);
  }
}

async function report(): Promise<void> {
  const results = workloadCases.map((entry) => [entry, readResult(entry)] as const);
  const done = results.filter(
    (pair): pair is readonly [WorkloadCase, CaseResult] => pair[1] !== undefined,
  );
  console.log(
    `${done.length} of ${workloadCases.length} guests are done, after ${secondsSince(startMs)} s`,
  );
  if (done.length < workloadCases.length) {
    if (values.only === '') {
      process.exitCode = 1;
    }
    return;
  }
  await writeWorkloadsTable(done);
  await writeReadmeTable(done);
  console.log(`wrote ${workloadsPath} and the README's table`);
}

function secondsSince(fromMs: number): number {
  return Math.round((Date.now() - fromMs) / 1000);
}
