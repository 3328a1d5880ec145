// Question: how long does `pars report --fleet` take over 10,000 snapshots, and does its peak resident memory stay below
//   256 MiB?
// Method: an embedded store with 10,000 made manifests (test/report/made-fleet.ts) of 20 to 500 packs, a quarter of them
//   with some hundred KiB of columns; one copy of each, as only one is read; whole processes, the peak as the kernel
//   accounts for it; `pars list` of the same store beside it, which reads the same headers.
// Non-goals: the network, and HDFS's own time for 10,000 reads.
// Run: npm run bench -- report-fleet [ROUNDS] [SNAPSHOTS]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeFleet } from '../test/report/made-fleet.js';
import { formatSpread } from './samples.js';
import { runTimed, type TimedRun } from './timed-command.js';

const rounds = Number(process.argv[2] ?? 3);
const snapshotCount = Number(process.argv[3] ?? 10_000);
const pars = join(import.meta.dirname, '../dist/program/main.js');

const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
try {
  const url = pathToFileURL(join(folder, 'store')).href;
  const { manifestBytes } = await writeFleet(url, snapshotCount);
  console.log(
    `${snapshotCount} snapshots, ${(manifestBytes / 2 ** 20).toFixed(0)} MiB of manifests`,
  );
  const commands = {
    'pars report --fleet': ['report', '--fleet', '--store', url, '--json'],
    'pars list': ['list', '--store', url, '--json'],
  };
  const samples = new Map<string, TimedRun[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [label, args] of Object.entries(commands)) {
      const run = await runTimed(process.execPath, [pars, ...args]);
      samples.set(label, [...(samples.get(label) ?? []), run]);
    }
  }
  for (const [label, runs] of samples) {
    const seconds = formatSpread(runs.map((run) => run.seconds));
    const peak = formatSpread(
      runs.map(({ peakRssMib }) => peakRssMib),
      0,
    );
    console.log(`${label.padEnd(20)} ${seconds} s, peak ${peak} MiB`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
