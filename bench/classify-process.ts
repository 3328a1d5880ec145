// Question: how long does `pars classify` take as a whole process beside `makedumpfile -d 31` on the same image, does the
//   cost per page stay flat up to 64 GiB, and how much memory does it take?
// Method: the two commands in turn, whole processes by the wall clock, images in the page cache; Node's own start-up is
//   shown apart. The 64 GiB guest is a real one, booted for the bench and looked at while it is stopped: of its RAM file
//   only what the kernel touched exists, the rest are holes. makedumpfile is not run on it: its core would be 64 GiB.
// Non-goals: images that are not in the page cache, writing the labels.
// Run: npm run bench -- classify-process [ROUNDS]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findKernel } from '../introspect/label/find-kernel.js';
import { openRawFile } from '../introspect/memory/formats/raw-file.js';
import { fixtureGuest } from '../test/guest/fixtures.js';
import { bootGuest } from '../test/guest/guest.js';
import { vmcoreinfoText, writeElfCore } from './elf-core.js';
import { formatSpread } from './samples.js';
import { runTimed, type TimedRun } from './timed-command.js';

const rounds = Number(process.argv[2] ?? 7);
const cli = join(import.meta.dirname, '../dist/program/main.js');
const largeSizeMib = 64 * 1024;

const seconds = (runs: readonly TimedRun[]): string =>
  `${formatSpread(runs.map((run) => run.seconds))} s`;
const peak = (runs: readonly TimedRun[]): string =>
  `${formatSpread(
    runs.map((run) => run.peakRssMib),
    0,
  )} MiB`;

async function classifyRuns(path: string, beside: () => Promise<void>): Promise<TimedRun[]> {
  const runs: TimedRun[] = [];
  for (let round = 0; round < rounds; round++) {
    runs.push(await runTimed(process.execPath, [cli, 'classify', path]));
    await beside();
  }
  return runs;
}

function report(sizeMib: number, ours: readonly TimedRun[]): void {
  const nanoseconds = ours.map((run) => (run.seconds * 1e9) / (sizeMib * 256));
  console.log(`${sizeMib} MiB guest, ${rounds} processes each, median (min - max)`);
  console.log(`  pars classify          ${seconds(ours)}, ${peak(ours)} resident at most`);
  console.log(`    per page             ${formatSpread(nanoseconds, 0)} ns`);
}

const startUps: TimedRun[] = [];
for (let round = 0; round < rounds; round++) {
  startUps.push(await runTimed(process.execPath, ['-e', '0']));
}
console.log(`Node alone               ${seconds(startUps)}, ${peak(startUps)}`);

const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
try {
  for (const name of ['aged', 'aboveHole'] as const) {
    const guest = await fixtureGuest(name);
    const image = openRawFile(guest.ramPath);
    const core = join(folder, 'core');
    const { memory } = findKernel(image);
    await writeElfCore(guest.ramPath, core, memory, vmcoreinfoText(memory));
    image.close();
    const theirs: TimedRun[] = [];
    const dump = join(folder, 'dump');
    const ours = await classifyRuns(guest.ramPath, async () => {
      theirs.push(await runTimed('makedumpfile', ['-d', '31', core, dump]));
      await rm(dump, { force: true });
    });
    await rm(core);
    report(guest.machine.ramSizeMib, ours);
    console.log(`  makedumpfile -d 31     ${seconds(theirs)}, ${peak(theirs)}`);
    console.log(
      `  ours / theirs          ${formatSpread(ours.map((run, round) => run.seconds / theirs[round].seconds))}`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

const large = await bootGuest({ ramSizeMib: largeSizeMib });
try {
  await large.stop();
  report(largeSizeMib, await classifyRuns(large.ramPath, () => Promise.resolve()));
} finally {
  await large.close();
}
