// Goes through forgeries by number and writes docs/evidence/forged.md:
//
//   npm run test:forged -- [--cases=100000] [--seed=1] [--at-once=2] [--only=KIND] [--with-earlier]
//   npm run test:forged -- --replay=NUMBER [--seed=1]
//
// Batches that were done are not done again until the sources change. With --with-earlier those that came out right before a
// change stand, and the table says how many they are: for a change that can only make labels stricter. With --only, or a replay, the table is left alone.
import { parseArgs } from 'node:util';
import { baseGuest, baseNames } from './bases.js';
import { deadKind } from './dead-case.js';
import { deadGuests, type DeadKernel, deadKernels, deaths } from './dead-kernels.js';
import { forgedPath, writeForgedTable } from './forged-table.js';
import { wrongVerdicts } from './judge.js';
import {
  type BatchResult,
  batchSize,
  readBatch,
  readEarlierBatch,
  summaryOf,
  writeBatch,
} from './results.js';
import type { Batch } from './worker.js';
import { Worker } from './workers.js';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    replay: { type: 'string' },
    'with-earlier': { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const only = values.only;
// Booted once, here, and not by each worker.
for (const name of baseNames) {
  await baseGuest(name);
}
/** One batch in so many is of dead kernels. */
const deadEvery = 5;
const dead: DeadKernel[] = [];
for (const death of deaths) {
  for (const guest of deadGuests) {
    dead.push(...(await deadKernels(guest, death)));
  }
}
if (values.replay === undefined) {
  await runAll();
} else {
  const worker = new Worker();
  await worker.ready();
  console.log(
    await worker.run(
      batchOf(Math.floor(Number(values.replay) / batchSize), Number(values.replay), 1),
    ),
  );
  worker.close();
}

function batchOf(batch: number, first: number, count: number): Batch {
  const isDead = only === '' ? batch % deadEvery === deadEvery - 1 : deadKind.includes(only);
  const index = Math.floor(batch / (only === '' ? deadEvery : 1)) % dead.length;
  return { seed, first, count, only, dead: isDead ? dead[index] : undefined };
}

async function runAll(): Promise<void> {
  const read = values['with-earlier'] ? readEarlierBatch : readBatch;
  const wantedCount = Number(values.cases);
  const batches = Array.from({ length: Math.ceil(wantedCount / batchSize) }, (_, batch) => batch);
  const known = (batch: number): BatchResult | undefined =>
    only === '' ? read(seed, batch) : undefined;
  const results = new Map<number, BatchResult>();
  for (const batch of batches) {
    const result = known(batch);
    if (result !== undefined) {
      results.set(batch, result);
    }
  }
  const open = batches.filter((batch) => !results.has(batch));
  const startMs = Date.now();
  let doneCount = 0;
  const goThrough = async (): Promise<void> => {
    let worker = new Worker();
    await worker.ready();
    for (let batch = open.shift(); batch !== undefined; batch = open.shift()) {
      try {
        const first = batch * batchSize;
        const result = summaryOf(await worker.run(batchOf(batch, first, batchSize)));
        results.set(batch, result);
        if (only === '') {
          writeBatch(seed, batch, result);
        }
        doneCount += batchSize;
        tell(batch, result, (doneCount / (Date.now() - startMs)) * 60_000);
      } catch (error) {
        // A worker that died or hung says which cases to look at.
        console.log(`batch ${batch}: ${(error as Error).message}`);
        process.exitCode = 1;
        worker.close();
        worker = new Worker();
        await worker.ready();
      }
    }
    worker.close();
  };
  await Promise.all(
    Array.from({ length: Math.min(Number(values['at-once']), open.length) }, goThrough),
  );
  const all = [...results.values()];
  const wrongCount = all
    .flatMap(({ counts }) => counts)
    .filter(([, verdict]) => wrongVerdicts.includes(verdict))
    .reduce((sum, [, , count]) => sum + count, 0);
  console.log(`${all.length * batchSize} cases are done, ${wrongCount} came out wrong`);
  if (only === '') {
    await writeForgedTable(seed, all, wantedCount);
    console.log(`wrote ${forgedPath}`);
  }
  if (wrongCount > 0 || all.length < batches.length) {
    process.exitCode = 1;
  }
}

function tell(batch: number, { counts, wrong }: BatchResult, perMinute: number): void {
  const wrongCount = counts
    .filter(([, verdict]) => wrongVerdicts.includes(verdict))
    .reduce((sum, [, , count]) => sum + count, 0);
  console.log(`batch ${batch}: ${wrongCount} wrong, ${Math.round(perMinute)} cases a minute`);
  for (const { number, kind, base, verdict, detail } of wrong.slice(0, 3)) {
    console.log(`  case ${number}, ${kind} (${base}): ${verdict}: ${detail}`);
  }
}
