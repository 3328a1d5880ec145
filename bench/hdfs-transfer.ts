// Question: how long do `pars upload` and `pars restore` take beside `hdfs dfs -put` (replication 3) and `-get` of the
//   same raw image, on the same HDFS, in the same run?
// Method: the 512 MiB test guest whose free pages hold old data; whole processes, introspection and Node's start
//   included; rounds of put, upload, get, restore, ours first in every other one, so that all see the same noise. Ratios pair by pair. The peer's
//   JVM start is measured by the same commands on an empty file, and taken off for the second ratio.
// Non-goals: a network, spinning disks, more than one host: NameNode and five DataNodes share this machine.
// Run: npm run bench -- hdfs-transfer [ROUNDS]
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixtureGuest } from '../test/guest/fixtures.js';
import { startHdfs } from '../test/hdfs/cluster.js';
import { formatSpread } from './samples.js';
import { runTimed } from './timed-command.js';

/** Daemons as they are run in earnest: with the optimising compiler, and room. */
const daemonFlags = ['-XX:TieredStopAtLevel=4', '-Xmx512m'];

const rounds = Number(process.argv[2] ?? 5);
const warmupRounds = 6;
const pars = join(import.meta.dirname, '../dist/src/cli/main.js');

async function clock(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const guest = await fixtureGuest('aged');
const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
const cluster = await startHdfs({ jvmFlags: daemonFlags });
try {
  const store = cluster.webhdfsUrl('/pars');
  const empty = join(folder, 'empty');
  await writeFile(empty, '');
  const samples = {
    put: [] as number[],
    upload: [] as number[],
    get: [] as number[],
    restore: [] as number[],
    emptyPut: [] as number[],
    emptyGet: [] as number[],
    uploadRssMib: [] as number[],
    restoreRssMib: [] as number[],
  };
  const checkSize = async (path: string): Promise<void> => {
    if ((await stat(path)).size !== (await stat(guest.ramPath)).size) {
      throw new Error(`${path} has not the image's size: the bench compares different work`);
    }
  };
  const hdfs = (...args: string[]): Promise<unknown> => cluster.hdfsDfs(args);
  const put = async (): Promise<void> => {
    samples.put.push(
      await clock(() => hdfs('-D', 'dfs.replication=3', '-put', guest.ramPath, '/raw')),
    );
  };
  const upload = async (): Promise<string> => {
    const run = await runTimed(process.execPath, [
      pars,
      ...['upload', guest.ramPath, '--name', 'bench', '--store', store, '--json'],
    ]);
    samples.upload.push(run.seconds);
    samples.uploadRssMib.push(run.peakRssMib);
    return (JSON.parse(run.stdout) as { id: string }).id;
  };
  // What was fetched goes at once, so that the next one finds the same memory free.
  const get = async (): Promise<void> => {
    const path = join(folder, 'raw');
    samples.get.push(await clock(() => hdfs('-get', '/raw', path)));
    await checkSize(path);
    await rm(path);
  };
  const restore = async (id: string): Promise<void> => {
    const out = join(folder, 'out');
    const run = await runTimed(process.execPath, [
      pars,
      ...['restore', id, '--store', store, '--out', out],
    ]);
    samples.restore.push(run.seconds);
    samples.restoreRssMib.push(run.peakRssMib);
    await checkSize(join(out, 'ram'));
    await rm(out, { recursive: true });
  };
  for (let round = 0; round < warmupRounds + rounds; round++) {
    // The first rounds warm the daemons' JVMs and the page cache, and are not counted.
    if (round === warmupRounds) {
      Object.values(samples).forEach((list) => list.splice(0));
    }
    // Who comes first changes from round to round: the second finds memory that the first has used.
    let id: string;
    if (round % 2 === 0) {
      await put();
      id = await upload();
      await get();
      await restore(id);
    } else {
      id = await upload();
      await put();
      await restore(id);
      await get();
    }
    samples.emptyPut.push(await clock(() => hdfs('-put', empty, '/empty')));
    const emptyBack = join(folder, 'empty-back');
    samples.emptyGet.push(await clock(() => hdfs('-get', '/empty', emptyBack)));
    await rm(emptyBack);
    await hdfs('-rm', '-skipTrash', '/raw', '/empty');
    await runTimed(process.execPath, [pars, 'delete', id, '--store', store]);
  }
  const ratio = (ours: readonly number[], peer: readonly number[], start?: readonly number[]) =>
    formatSpread(ours.map((value, index) => value / (peer[index] - (start?.[index] ?? 0))));
  console.log(`${rounds} rounds, median (min - max)`);
  console.log(`hdfs dfs -put          ${formatSpread(samples.put)} s`);
  console.log(`pars upload            ${formatSpread(samples.upload)} s`);
  console.log(`  of -put              ${ratio(samples.upload, samples.put)}`);
  console.log(`  without JVM start    ${ratio(samples.upload, samples.put, samples.emptyPut)}`);
  console.log(`hdfs dfs -get          ${formatSpread(samples.get)} s`);
  console.log(`pars restore           ${formatSpread(samples.restore)} s`);
  console.log(`  of -get              ${ratio(samples.restore, samples.get)}`);
  console.log(`  without JVM start    ${ratio(samples.restore, samples.get, samples.emptyGet)}`);
  console.log(
    `-put / -get of nothing ${formatSpread(samples.emptyPut)} / ${formatSpread(samples.emptyGet)} s`,
  );
  console.log(`peak RSS of upload     ${formatSpread(samples.uploadRssMib, 0)} MiB`);
  console.log(`peak RSS of restore    ${formatSpread(samples.restoreRssMib, 0)} MiB`);
} finally {
  await cluster.close();
  await rm(folder, { recursive: true, force: true });
}
