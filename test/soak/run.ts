// Boots every guest of the soak, takes pages from it, and writes docs/evidence/survival.md:
//
//   npm run test:soak -- [--at-once=2] [--only=6.12.x-cloud]
//
// Cases that were done are not done again until the sources change. A guest that did not survive leaves its RAM and disk
// in the user's cache folder. The file is written from what is done, and says how much that is.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { openStore } from '../../src/store/open-store.js';
import { copySparse } from '../guest/copy-sparse.js';
import { bootGuest, type Guest } from '../guest/guest.js';
import { findKernelPackage } from '../guest/kernel-package.js';
import { startHdfs } from '../hdfs/cluster.js';
import { guestName, guestOptionsOf, type SoakGuest, soakGuests } from './cases.js';
import { destroySingleCopies } from './destroy-blocks.js';
import { type CaseKey, caseKeys, readResult, soakFolder, triesOf, writeResult } from './results.js';
import { survivalPath, writeSurvivalTable } from './survival-table.js';
import {
  loseAll,
  losePart,
  type Outcome,
  type SingleCopies,
  type SoakSnapshot,
} from './survive.js';

const { values } = parseArgs({
  options: {
    'at-once': { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const guestsAtOnceMax = 2;
const work = mkdtempSync(join(tmpdir(), 'pars-soak-'));
// Before any guest's own handler, which ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    rmSync(work, { recursive: true, force: true });
    process.kill(process.pid, signal);
  });
}
try {
  const wanted = soakGuests.filter((guest) => guestName(guest).includes(values.only));
  const open = wanted.filter((guest) => openCases(guest).length > 0);
  if (open.length > 0) {
    await runGuests(open);
  }
  await report();
} finally {
  rmSync(work, { recursive: true, force: true });
}

function openCases(guest: SoakGuest): readonly CaseKey[] {
  return caseKeys(guest).filter((key) => readResult(guest, key)?.outcome.wrong.length !== 0);
}

async function runGuests(guests: readonly SoakGuest[]): Promise<void> {
  const cluster = await startHdfs({
    dataNodeCount: 3,
    // How long a DataNode looks for another copy of a block that is gone: the default is half a minute.
    configOverrides: { 'dfs.client.retry.window.base': '10' },
  });
  try {
    const limit = pLimit(Math.min(guestsAtOnceMax, Number(values['at-once'])));
    await Promise.all(
      guests.map((guest, index) =>
        limit(async () => {
          const path = `/soak-${index}`;
          const store = await openStore(cluster.webhdfsUrl(path, userInfo().username));
          try {
            await runGuest(guest, {
              store,
              destroy: () => destroySingleCopies(cluster, path),
            });
          } catch (error) {
            console.log(`${guestName(guest)}: ${(error as Error).stack ?? String(error)}`);
          } finally {
            await store.close();
          }
        }),
      ),
    );
  } finally {
    await cluster.close();
  }
}

async function runGuest(entry: SoakGuest, copies: SingleCopies): Promise<void> {
  const open = openCases(entry);
  const guest = await bootGuest(guestOptionsOf(entry));
  try {
    for (const [moment, { policy, part }] of entry.moments.entries()) {
      const keys = open.filter((key) => key.startsWith(`${moment}-`));
      if (keys.length === 0) {
        continue;
      }
      const folder = join(work, guestName(entry), String(moment));
      const snapshot = await stopAndCopy(guest, join(folder, 'snapshot'));
      for (const key of keys) {
        await runCase(entry, key, snapshot, () =>
          part === undefined || key === `${moment}-all`
            ? loseAll(snapshot, policy, copies, join(folder, key))
            : losePart(snapshot, policy, part, moment + 1, join(folder, key)),
        );
        rmSync(join(folder, key), { recursive: true, force: true });
      }
      rmSync(folder, { recursive: true, force: true });
      await guest.cont();
    }
  } finally {
    await guest.close();
  }
}

async function stopAndCopy(guest: Guest, folder: string): Promise<SoakSnapshot> {
  const checksums = await guest.checksums();
  return { files: await guest.snapshot(folder), checksums };
}

async function runCase(
  entry: SoakGuest,
  key: CaseKey,
  snapshot: SoakSnapshot,
  lose: () => Promise<Outcome>,
): Promise<void> {
  const startMs = Date.now();
  const outcome = await lose();
  const seconds = Math.round((Date.now() - startMs) / 1000);
  const { release } = findKernelPackage(entry.series, entry.flavour);
  const tries = triesOf(readResult(entry, key)) + 1;
  writeResult(entry, key, { release, outcome, seconds, tries });
  const { lostPageCount, expendablePageCount, singlePageCount, wrong } = outcome;
  if (singlePageCount !== undefined && singlePageCount !== lostPageCount) {
    throw new Error(`expected ${singlePageCount} pages to be lost, found ${lostPageCount}`);
  }
  console.log(
    `${guestName(entry)} ${key}: ${wrong.length === 0 ? 'survived' : 'DIED'}, ` +
      `${lostPageCount} of ${expendablePageCount} expendable pages lost, ${seconds} s`,
  );
  for (const finding of wrong) {
    console.log(`  ${finding}`);
  }
  if (wrong.length > 0) {
    const kept = join(soakFolder, 'died', `${guestName(entry)}-${key}`);
    mkdirSync(kept, { recursive: true });
    await copySparse(snapshot.files.ramPath, join(kept, 'ram'));
    await copySparse(snapshot.files.statePath, join(kept, 'state'));
    await copySparse(snapshot.files.diskPath, join(kept, 'disk.img'));
    console.log(`  its snapshot is in ${kept}`);
  }
}

async function report(): Promise<void> {
  const results = soakGuests.flatMap((guest) =>
    caseKeys(guest).map((key) => ({ guest, key, result: readResult(guest, key) })),
  );
  const done = results.flatMap(({ guest, key, result }) =>
    result === undefined ? [] : [{ guest, key, result }],
  );
  const diedCount = done.filter(({ result }) => result.outcome.wrong.length > 0).length;
  console.log(`${done.length} of ${results.length} cases are done, ${diedCount} died`);
  if (done.length > 0) {
    await writeSurvivalTable(done, results.length);
    console.log(`wrote ${survivalPath}`);
  }
  if (values.only === '' && (diedCount > 0 || done.length < results.length)) {
    process.exitCode = 1;
  }
}
