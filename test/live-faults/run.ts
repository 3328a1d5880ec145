// Lets every fault strike and writes docs/evidence/faults.md:
//
//   npm run test:faults -- [--only='scratch full'] [--cases=10]
//
// Cases that passed are not run again until the sources change. The file is written from what is done, and says how much
// that is. PARS_TEST_SEED sets the moments.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomNumbers } from '../e2e/random-numbers.js';
import { canMount } from '../e2e/tiny-disk.js';
import { startHdfs } from '../hdfs/cluster.js';
import type { FaultOutcome } from './fault-case.js';
import { faultsPath, writeFaultsTable } from './faults-table.js';
import { type FaultKind, faultKinds, isOfHdfs } from './kinds.js';
import { readResult, writeResult } from './results.js';
import { Guests, runCase, runCaseOnHdfs } from './run-case.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    cases: { type: 'string', default: '10' },
  },
});
/** One in so many restored VMs goes on. */
const resumeEvery = 5;
const work = mkdtempSync(join(tmpdir(), 'pars-faults-'));
// Before any guest's own handler, which ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    rmSync(work, { recursive: true, force: true });
    process.kill(process.pid, signal);
  });
}
const { seed } = randomNumbers('live-faults');
const guests = new Guests();
const kinds = (Object.keys(faultKinds) as readonly FaultKind[]).filter((kind) =>
  kind.includes(values.only),
);
try {
  for (const kind of kinds) {
    if (isOfHdfs(kind)) {
      continue;
    }
    await runKind(kind, (index) => runCase(kind, index, work, guests, optionsOf(index)));
  }
  const ofHdfs = kinds.filter(isOfHdfs);
  if (ofHdfs.some((kind) => openCases(kind).length > 0)) {
    const cluster = await startHdfs({ dataNodeCount: 4 });
    const place = (path: string): string => cluster.webhdfsUrl(path, userInfo().username);
    try {
      for (const kind of ofHdfs) {
        await runKind(kind, (index) =>
          runCaseOnHdfs(kind, index, work, guests, { ...optionsOf(index), cluster, place }),
        );
      }
    } finally {
      await cluster.close();
    }
  }
  await report();
} finally {
  await guests.close();
  rmSync(work, { recursive: true, force: true });
}

function optionsOf(index: number) {
  return { seed, resumes: index % resumeEvery === 0 };
}

function openCases(kind: FaultKind): readonly number[] {
  return [...Array(Number(values.cases)).keys()].filter(
    (index) => readResult(kind, index)?.wrong.length !== 0,
  );
}

async function runKind(
  kind: FaultKind,
  run: (index: number) => Promise<FaultOutcome>,
): Promise<void> {
  if (kind === 'scratch full' && !canMount) {
    console.log(`${kind}: left out, as it mounts a small file system, which takes root`);
    return;
  }
  for (const index of openCases(kind)) {
    const startMs = Date.now();
    const outcome = await run(index);
    const seconds = Math.round((Date.now() - startMs) / 1000);
    writeResult(kind, index, { ...outcome, seconds });
    console.log(
      `${kind} ${index}: ${outcome.wrong.length === 0 ? 'passed' : 'FAILED'}, ${outcome.phase ?? 'too late'}, ${seconds} s`,
    );
    for (const finding of outcome.wrong) {
      console.log(`  ${finding}`);
    }
  }
}

async function report(): Promise<void> {
  const all = (Object.keys(faultKinds) as readonly FaultKind[]).flatMap((kind) =>
    [...Array(Number(values.cases)).keys()].map((index) => ({
      kind,
      index,
      result: readResult(kind, index),
    })),
  );
  const done = all.flatMap(({ result, ...entry }) =>
    result === undefined ? [] : [{ ...entry, result }],
  );
  const failedCount = done.filter(({ result }) => result.wrong.length > 0).length;
  console.log(`${done.length} of ${all.length} cases are done, ${failedCount} failed`);
  if (done.length > 0) {
    await writeFaultsTable(done, all.length);
    console.log(`wrote ${faultsPath}`);
  }
  if (values.only === '' && (failedCount > 0 || done.length < all.length)) {
    process.exitCode = 1;
  }
}
