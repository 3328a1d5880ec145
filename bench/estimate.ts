// Question: how long does `pars report --estimate` take, beside what anybody would run on the same file?
// Method: the 512 MiB and the 4 GiB test guest; whole processes, in turn within each round, results thrown away; the
//   file is in the page cache. `together` is the sum of lz4, zstd and sha256sum: what the estimate does in one pass,
//   beside labelling the pages and making the packs of three policies.
// Non-goals: reading from a disk, and disks that pages are compared with.
// Run: npm run bench -- estimate [ROUNDS]
import { join } from 'node:path';
import { fixtureGuest } from '../test/guest/fixtures.js';
import { formatSpread } from './samples.js';
import { runTimed, type TimedRun } from './timed-command.js';

const rounds = Number(process.argv[2] ?? 3);
const pars = join(import.meta.dirname, '../dist/program/main.js');
const discarded = ['-q', '-f', '-o', '/dev/null'];

for (const name of ['aged', 'aboveHole'] as const) {
  const { ramPath, machine } = await fixtureGuest(name);
  await runTimed('sha256sum', [ramPath]);
  const commands: Readonly<Record<string, () => Promise<TimedRun>>> = {
    'pars report --estimate': () =>
      runTimed(process.execPath, [pars, 'report', '--estimate', ramPath, '--json']),
    'lz4 -1': () => runTimed('lz4', ['-1', '-q', '-f', ramPath, '/dev/null']),
    'zstd -3': () => runTimed('zstd', ['-3', ...discarded, ramPath]),
    sha256sum: () => runTimed('sha256sum', [ramPath]),
  };
  const samples = new Map<string, TimedRun[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [label, run] of Object.entries(commands)) {
      samples.set(label, [...(samples.get(label) ?? []), await run()]);
    }
  }
  console.log(`${machine.ramSizeMib} MiB guest`);
  for (const [label, runs] of samples) {
    const seconds = runs.map((run) => run.seconds);
    const peaks = runs.map((run) => run.peakRssMib);
    print(label, seconds, `, peak ${formatSpread(peaks, 0)} MiB`);
  }
  const [, ...others] = [...samples.values()];
  const together = others[0].map((_, round) =>
    others.reduce((sum, runs) => sum + runs[round].seconds, 0),
  );
  print('together', together, '');
}

function print(label: string, seconds: readonly number[], more: string): void {
  console.log(`  ${label.padEnd(24)} ${formatSpread(seconds)} s${more}`);
}
