// Question: does the peak resident memory of `pars upload` and `pars restore` stay below 256 MiB, whatever the image's size?
// Method: the 512 MiB and the 4 GiB test guest, both to the embedded store on local disks; whole processes; the peak as
//   the kernel accounts for it.
// Non-goals: time (the local store waits for fsync on one disk that plays five).
// Run: npm run bench -- memory-bound [ROUNDS]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixtureGuest } from '../test/guest/fixtures.js';
import { formatSpread } from './samples.js';
import { runTimed } from './timed-command.js';

const rounds = Number(process.argv[2] ?? 3);
const pars = join(import.meta.dirname, '../dist/program/main.js');

for (const name of ['aged', 'aboveHole'] as const) {
  const guest = await fixtureGuest(name);
  const uploads: number[] = [];
  const restores: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
    try {
      const store = `file://${join(folder, 'store')}`;
      const upload = await runTimed(process.execPath, [
        pars,
        ...['upload', guest.ramPath, '--name', name, '--store', store, '--json'],
      ]);
      const { id } = JSON.parse(upload.stdout) as { id: string };
      const restore = await runTimed(process.execPath, [
        pars,
        ...['restore', id, '--store', store, '--out', join(folder, 'out')],
      ]);
      uploads.push(upload.peakRssMib);
      restores.push(restore.peakRssMib);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  console.log(
    `${guest.machine.ramSizeMib} MiB guest: upload ${formatSpread(uploads, 0)} MiB, ` +
      `restore ${formatSpread(restores, 0)} MiB (limit 256)`,
  );
}
