// Lets everything break on the wire of `hdfs://`, once at each point, and writes docs/evidence/wire.md:
//
//   npm run test:wire -- [--cases=1000] [--rounds=1] [--seed=1] [--only='node mute'] [--replay=NUMBER]
//
// `cases` go through proxies, `rounds` is how often each case with a process comes. Cases that passed are not run again until the
// sources change. With --only or --replay the file is left alone.
import { parseArgs } from 'node:util';
import { type HdfsCluster, startHdfs } from '../hdfs/cluster.js';
import { casesAtOnce, runBatch } from './batch.js';
import { boundsFor } from './bounds.js';
import { measureReads } from './read-latency.js';
import { readResult, writeResult } from './results.js';
import { casesOf, isOfProcess, type WireCase } from './wire-case.js';
import { wirePath, writeWireTable } from './wire-table.js';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    replay: { type: 'string' },
  },
});
const batchSize = { wire: 60, process: 20 };
const seed = Number(values.seed);
const all = casesOf(seed, Number(values.cases), Number(values.rounds));
const isPart = values.only !== '' || values.replay !== undefined;

const cluster = await startHdfs();
try {
  const wanted = all.filter(
    ({ number, operation, point, action }) =>
      `${operation} ${point} ${action}`.includes(values.only) &&
      (values.replay === undefined || number === Number(values.replay)),
  );
  const open = wanted.filter(
    ({ number }) => isPart || readResult(seed, number)?.wrong.length !== 0,
  );
  await runAll(cluster, open);
  if (!isPart) {
    const latency = await measureReads(cluster);
    const done = all.flatMap((wireCase) => {
      const outcome = readResult(seed, wireCase.number);
      return outcome === undefined ? [] : [{ wireCase, outcome }];
    });
    await writeWireTable({ seed, done, wantedCount: all.length, latency });
    console.log(`wrote ${wirePath}`);
  }
} finally {
  await cluster.close();
}

async function runAll(hdfs: HdfsCluster, open: readonly WireCase[]): Promise<void> {
  let doneCount = 0;
  let wrongCount = 0;
  const bounds = await boundsFor(hdfs, casesAtOnce);
  for (const isProcess of [false, true]) {
    const cases = open.filter((wireCase) => isOfProcess(wireCase) === isProcess);
    const size = isProcess ? batchSize.process : batchSize.wire;
    for (let at = 0; at < cases.length; at += size) {
      const batch = cases.slice(at, at + size);
      const startMs = Date.now();
      const outcomes = await runBatch(
        hdfs,
        `/wire-${at}-${isProcess ? 'process' : 'proxy'}`,
        batch,
        bounds,
      );
      for (const wireCase of batch) {
        const outcome = outcomes.get(wireCase.number);
        if (outcome === undefined) {
          continue;
        }
        doneCount++;
        writeResult(seed, wireCase.number, outcome);
        if (outcome.wrong.length > 0) {
          wrongCount++;
          console.log(`${JSON.stringify(wireCase)}\n  ${outcome.wrong.join('\n  ')}`);
        }
      }
      console.log(
        `${doneCount} of ${open.length} cases, ${wrongCount} of them wrong; the last ${batch.length} in ` +
          `${Math.round((Date.now() - startMs) / 1000)} s`,
      );
    }
  }
  if (wrongCount > 0) {
    process.exitCode = 1;
  }
}
