// Takes twenty live snapshots of one guest under load, runs each of them, and writes docs/evidence/live.md:
//
//   npm run test:live
//
// Nothing else should run on the machine meanwhile: how long the guest stands still is measured. A run that was done is not
// done again until the sources change.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalStoreFolder } from '../e2e/local-store-folder.js';
import { copySparse } from '../guest/copy-sparse.js';
import { hashOfSources, identityOf, keep, readKept } from '../kept-results.js';
import { percent } from '../matrix/figures.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import { readDiskWitness } from './disk-witness.js';
import { bootLiveGuest, type LiveGuest } from './live-guest.js';
import { livePath, type LiveRun, writeLiveTable } from './live-table.js';
import { OtherLoad } from './other-load.js';
import { type Extent, type LiveOutcome, takeLiveSnapshot } from './take-live-snapshot.js';

const snapshotCount = 20;
const extents: readonly Extent[] = ['RAM and disks', 'RAM'];
/** How long the guest rests before each snapshot, and after the last one. */
const restMs = 5000;
/** About as many ticks as are looked at around a snapshot. */
const restWindowMs = 120;

const keptPath = join(cacheFolder(), 'live', 'run.json');
const identity = identityOf([
  hashOfSources([
    'introspect',
    'src/vm',
    'src/cli',
    'src/loss',
    'src/restore',
    'test/guest',
    'test/live',
  ]),
]);
const work = mkdtempSync(join(tmpdir(), 'pars-live-'));
// Before any guest's own handler, which ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    rmSync(work, { recursive: true, force: true });
    process.kill(process.pid, signal);
  });
}
try {
  const kept = readKept(keptPath, identity) as LiveRun | undefined;
  const run = kept ?? (await takeAll());
  keep(keptPath, identity, run);
  await writeLiveTable(run);
  console.log(`wrote ${livePath}`);
  if (isAnyWrong(run)) {
    process.exitCode = 1;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function isAnyWrong({ stopped, outcomes }: LiveRun): boolean {
  return stopped.length > 0 || outcomes.some(({ wrong }) => wrong.length > 0);
}

async function takeAll(): Promise<LiveRun> {
  const live = await bootLiveGuest(work);
  const store = new LocalStoreFolder(join(work, 'store'));
  const restGapsMs: number[] = [];
  const restWindowsMs: number[] = [];
  const otherShares: number[] = [];
  const load = new OtherLoad(live.guest.pid);
  const rest = async (): Promise<void> => {
    // What this run wrote would be flushed with the VM's disks, while it stands still.
    execFileSync('sync');
    const fromMs = Date.now();
    load.share();
    await sleep(restMs);
    otherShares.push(load.share());
    for (let atMs = fromMs; atMs + restWindowMs <= Date.now(); atMs += restWindowMs) {
      const gaps = live.ticks.between(atMs, atMs + restWindowMs).map(({ lengthMs }) => lengthMs);
      restWindowsMs.push(Math.max(0, ...gaps));
    }
    restGapsMs.push(...live.ticks.between(fromMs, Date.now()).map(({ lengthMs }) => lengthMs));
  };
  try {
    const stopped = await diskOfStoppedGuest(live);
    const outcomes: LiveOutcome[] = [];
    for (let number = 0; number < snapshotCount; number++) {
      await rest();
      const extent = extents[number % extents.length];
      const outcome = await takeLiveSnapshot(live, extent, store.url, join(work, 'snapshot'));
      outcomes.push(outcome);
      console.log(
        `${number + 1} ${extent}: ${outcome.downtimeMs.toFixed(1)} ms, ` +
          `${outcome.gapMs.toFixed(1)} ms between ticks, ${outcome.wrong.length} findings; ` +
          `others took ${percent(otherShares[number])} of the CPUs before`,
      );
      for (const finding of outcome.wrong) {
        console.log(`  ${finding}`);
      }
    }
    await rest();
    return { outcomes, restGapsMs, restWindowsMs, otherShares, stopped };
  } finally {
    await live.close();
  }
}

/** What the same judges say of the guest's own disk while it is stopped by hand. */
async function diskOfStoppedGuest({ guest }: LiveGuest): Promise<readonly string[]> {
  const copy = join(work, 'stopped.img');
  await guest.stop();
  await copySparse(guest.diskPath, copy);
  await guest.cont();
  return (await readDiskWitness(copy, join(work, 'stopped'))).wrong;
}
