// Boots every guest of the matrix, holds its labels against its kernel, and writes docs/evidence/kernels.md:
//
//   npm run test:matrix -- [--at-once=2] [--only=6.12.x-cloud]
//
// Guests that were done are not booted again until the sources change. The file is written once all are done.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { bootGuest } from '../guest/guest.js';
import type { GuestSnapshot } from '../guest/guest-snapshot.js';
import { findKernelPackage } from '../guest/kernel-package.js';
import { caseName, demandsOf, guestOptionsOf, type MatrixCase, matrixCases } from './cases.js';
import { freeFoundFraction, percent, savingByIdeal, shortcomings } from './figures.js';
import { observe } from './observe.js';
import { type CaseResult, readResult, writeResult } from './results.js';
import { supportPath, writeSupportTable } from './support-table.js';

const guestsAtOnceMax = 2;

const { values } = parseArgs({
  options: {
    'at-once': { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const work = mkdtempSync(join(tmpdir(), 'pars-matrix-'));
// Before any guest's own handler, which ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    rmSync(work, { recursive: true, force: true });
    process.kill(process.pid, signal);
  });
}
try {
  const limit = pLimit(Math.min(guestsAtOnceMax, Number(values['at-once'])));
  const wanted = matrixCases.filter((entry) => caseName(entry).includes(values.only));
  await Promise.all(wanted.map((entry) => limit(() => runCase(entry))));
  await report();
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function runCase(entry: MatrixCase): Promise<void> {
  const name = caseName(entry);
  const kept = readResult(entry);
  if (kept?.shortcomings.length === 0) {
    console.log(`${name}: done before`);
    return;
  }
  try {
    const result = await bootAndObserve(entry, join(work, name));
    writeResult(entry, result);
    tell(entry, result);
  } catch (error) {
    console.log(`${name}: ${(error as Error).stack ?? String(error)}`);
  }
}

async function bootAndObserve(entry: MatrixCase, folder: string): Promise<CaseResult> {
  const startMs = Date.now();
  try {
    const options = guestOptionsOf(entry);
    const { release } = findKernelPackage(options.kernelRelease, options.kernelFlavour);
    const { figures, firstFigures } = await observe(await bootAndStop(entry, folder));
    const seconds = Math.round((Date.now() - startMs) / 1000);
    return {
      release,
      figures,
      firstFigures,
      shortcomings: shortcomings(figures, demandsOf(entry)),
      seconds,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bootAndStop(entry: MatrixCase, folder: string): Promise<GuestSnapshot> {
  const guest = await bootGuest(guestOptionsOf(entry));
  try {
    const flags = await guest.command("grep -m 1 '^flags' /proc/cpuinfo");
    const pagingLevels = / la57( |$)/.test(flags) ? 5 : 4;
    if (pagingLevels !== entry.pagingLevels) {
      throw new Error(`expected ${entry.pagingLevels}-level paging, found ${pagingLevels}`);
    }
    return await guest.snapshot(folder);
  } finally {
    await guest.close();
  }
}

function tell(
  entry: MatrixCase,
  { figures, shortcomings: found, firstFigures, seconds }: CaseResult,
): void {
  const numbers = [
    `free found ${percent(freeFoundFraction(figures))}`,
    `saving ${percent(savingByIdeal(figures))}`,
    `left out ${percent(figures.leftOutCount / figures.pageCount)}`,
  ];
  console.log(
    `${caseName(entry)}: ${found.length === 0 ? 'pass' : 'FAIL'}, ${numbers.join(', ')}, ${seconds} s`,
  );
  for (const shortcoming of found) {
    console.log(`  ${shortcoming}`);
  }
  if (firstFigures !== undefined) {
    console.log(
      `  a second copy was asked, as of the first: ${shortcomings(firstFigures, demandsOf(entry)).join('; ')}`,
    );
  }
}

async function report(): Promise<void> {
  const results = matrixCases.map((entry) => [entry, readResult(entry)] as const);
  const done = results.filter(
    (pair): pair is readonly [MatrixCase, CaseResult] => pair[1] !== undefined,
  );
  const failed = done.filter(([, { shortcomings: found }]) => found.length > 0);
  console.log(`${done.length} of ${matrixCases.length} guests are done, ${failed.length} fail`);
  if (done.length === matrixCases.length) {
    await writeSupportTable(done);
    console.log(`wrote ${supportPath}`);
  }
  if (values.only === '' && done.length - failed.length < matrixCases.length) {
    process.exitCode = 1;
  }
}
