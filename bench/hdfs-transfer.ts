// Question: how long do `pars upload` and `pars restore` take beside `hdfs dfs -put` (replication 3) and `-get` of the
//   same raw image, on the same HDFS, in the same run, by WebHDFS and by HDFS's own protocols? What does each cost the daemons?
// Method: the 512 MiB test guest whose free pages hold old data, or the image that is given; whole processes, introspection and
//   Node's start included; in each round every way once, another one first each time, so that all see the same noise. Ratios round
//   by round. Uploads pack by `auto`, and by lz4 alone once more. `hdfs dfs` with flags that make its JVM start fast, and with Java's own; its start alone is measured by the same
//   commands on an empty file, and taken off for one more ratio. CPU seconds of all daemons, from /proc/PID/stat.
// Non-goals: a network, spinning disks, more than one host: NameNode and five DataNodes share this machine.
// Run: npm run bench -- hdfs-transfer [ROUNDS] [--image=RAM]
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fixtureGuest } from '../test/guest/fixtures.js';
import { startHdfs } from '../test/hdfs/cluster.js';
import { cpuSecondsOf } from './process-cpu.js';
import { formatSpread } from './samples.js';
import { runTimed } from './timed-command.js';

/** Daemons as they are run in earnest: with the optimising compiler, and room. */
const daemonFlags = ['-XX:TieredStopAtLevel=4', '-Xmx512m'];
const warmupRounds = 6;
const pars = join(import.meta.dirname, '../dist/program/main.js');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { image: { type: 'string' } },
});
const rounds = Number(positionals[0] ?? 5);

/** What one run of one command took. */
interface Taken {
  readonly seconds: number;
  /** What all daemons together spent meanwhile. */
  readonly daemonSeconds: number;
  /** What the command itself spent, where it is one of PARS. */
  readonly clientSeconds?: number;
  readonly peakRssMib?: number;
}

interface Way {
  readonly name: string;
  readonly run: () => Promise<Pick<Taken, 'clientSeconds' | 'peakRssMib'> | undefined>;
}

const imagePath = values.image ?? (await fixtureGuest('aged')).ramPath;
const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
const cluster = await startHdfs({ jvmFlags: daemonFlags });
try {
  const daemonPids = [cluster.nameNodePid, ...cluster.dataNodes.map(({ pid }) => pid)];
  const empty = join(folder, 'empty');
  await writeFile(empty, '');
  const taken = new Map<string, Taken[]>();
  const measure = async ({ name, run }: Way): Promise<void> => {
    const startedCpu = await cpuSecondsOf(daemonPids);
    const started = performance.now();
    const more = await run();
    const seconds = (performance.now() - started) / 1000;
    const daemonSeconds = (await cpuSecondsOf(daemonPids)) - startedCpu;
    taken.set(name, [...(taken.get(name) ?? []), { seconds, daemonSeconds, ...more }]);
  };
  const hdfs = async (args: readonly string[], jvm: 'quick' | 'default'): Promise<undefined> => {
    const { exitCode, stderr } = await cluster.hdfsDfs(args, { jvm });
    if (exitCode !== 0) {
      throw new Error(`hdfs dfs ${args.join(' ')} ended with ${exitCode}: ${stderr}`);
    }
    return undefined;
  };
  const put = (path: string, jvm: 'quick' | 'default') => () =>
    hdfs(['-D', 'dfs.replication=3', '-put', imagePath, path], jvm);
  // What was fetched goes at once, so that the next one finds the same memory free.
  const get = (jvm: 'quick' | 'default') => async (): Promise<undefined> => {
    const path = join(folder, 'raw');
    await hdfs(['-get', '/raw', path], jvm);
    await checkSize(path);
    await rm(path);
  };
  const checkSize = async (path: string): Promise<void> => {
    if ((await stat(path)).size !== (await stat(imagePath)).size) {
      throw new Error(`${path} has not the image's size: the bench compares different work`);
    }
  };
  const stores = new Map([
    ['webhdfs', cluster.webhdfsUrl('/pars-webhdfs')],
    ['hdfs', cluster.hdfsUrl('/pars-hdfs')],
    ['hdfs, lz4', cluster.hdfsUrl('/pars-hdfs-lz4')],
  ]);
  const ids = new Map<string, string>();
  const upload = (kind: string) => async () => {
    const run = await runTimed(process.execPath, [
      pars,
      ...['upload', imagePath, '--name', 'bench', '--store', stores.get(kind) ?? '', '--json'],
      ...['--codec', kind.endsWith('lz4') ? 'lz4' : 'auto'],
    ]);
    ids.set(kind, (JSON.parse(run.stdout) as { id: string }).id);
    return { clientSeconds: run.cpuSeconds, peakRssMib: run.peakRssMib };
  };
  const restore = (kind: string) => async () => {
    const out = join(folder, 'out');
    const run = await runTimed(process.execPath, [
      pars,
      ...['restore', ids.get(kind) ?? '', '--store', stores.get(kind) ?? '', '--out', out],
    ]);
    await checkSize(join(out, 'ram'));
    await rm(out, { recursive: true });
    return { clientSeconds: run.cpuSeconds, peakRssMib: run.peakRssMib };
  };
  const writing: readonly Way[] = [
    { name: 'put', run: put('/raw', 'quick') },
    { name: 'put, default JVM', run: put('/raw-default', 'default') },
    { name: 'upload webhdfs', run: upload('webhdfs') },
    { name: 'upload hdfs', run: upload('hdfs') },
    { name: 'upload hdfs, lz4', run: upload('hdfs, lz4') },
  ];
  const reading: readonly Way[] = [
    { name: 'get', run: get('quick') },
    { name: 'get, default JVM', run: get('default') },
    { name: 'restore webhdfs', run: restore('webhdfs') },
    { name: 'restore hdfs', run: restore('hdfs') },
    { name: 'restore hdfs, lz4', run: restore('hdfs, lz4') },
  ];
  for (let round = 0; round < warmupRounds + rounds; round++) {
    // The first rounds warm the daemons' JVMs and the page cache, and are not counted.
    if (round === warmupRounds) {
      taken.clear();
    }
    // Who comes first changes from round to round: the others find memory that the first has used.
    for (const ways of [writing, reading]) {
      for (let step = 0; step < ways.length; step++) {
        await measure(ways[(round + step) % ways.length]);
      }
    }
    await measure({ name: 'put of nothing', run: () => hdfs(['-put', empty, '/empty'], 'quick') });
    const emptyBack = join(folder, 'empty-back');
    await measure({
      name: 'get of nothing',
      run: () => hdfs(['-get', '/empty', emptyBack], 'quick'),
    });
    await rm(emptyBack);
    await hdfs(['-rm', '-skipTrash', '/raw', '/raw-default', '/empty'], 'quick');
    for (const [kind, id] of ids) {
      await runTimed(process.execPath, [pars, 'delete', id, '--store', stores.get(kind) ?? '']);
    }
  }
  console.log(`${rounds} rounds, median (min - max)`);
  tell(taken, writing, 'put');
  tell(taken, reading, 'get');
} finally {
  await cluster.close();
  await rm(folder, { recursive: true, force: true });
}

/** `peer`: the way that the others are compared with. */
function tell(
  taken: ReadonlyMap<string, readonly Taken[]>,
  ways: readonly Way[],
  peer: 'put' | 'get',
): void {
  const of = (name: string): readonly Taken[] => taken.get(name) ?? [];
  const spread = (values: readonly number[], digits = 2): string => formatSpread(values, digits);
  const ratio = (
    name: string,
    peerName: string,
    field: 'seconds' | 'daemonSeconds',
    start?: string,
  ): string =>
    spread(
      of(name).map(
        (ours, round) =>
          ours[field] /
          (of(peerName)[round][field] - (start === undefined ? 0 : of(start)[round][field])),
      ),
    );
  for (const { name } of ways) {
    console.log(`${name.padEnd(22)} ${spread(of(name).map(({ seconds }) => seconds))} s`);
    console.log(
      `  daemons' CPU         ${spread(of(name).map(({ daemonSeconds }) => daemonSeconds))} s`,
    );
    const clientSeconds = of(name).flatMap((run) => run.clientSeconds ?? []);
    const peakRssMib = of(name).flatMap((run) => run.peakRssMib ?? []);
    if (clientSeconds.length === 0) {
      continue;
    }
    console.log(`  own CPU              ${spread(clientSeconds)} s`);
    console.log(`  peak RSS             ${spread(peakRssMib, 0)} MiB`);
    console.log(`  of -${peer}              ${ratio(name, peer, 'seconds')}`);
    console.log(`  without JVM start    ${ratio(name, peer, 'seconds', `${peer} of nothing`)}`);
    console.log(`  with default JVM     ${ratio(name, `${peer}, default JVM`, 'seconds')}`);
    console.log(`  daemons' CPU of -${peer} ${ratio(name, peer, 'daemonSeconds')}`);
  }
  const [, , webhdfs, own] = ways;
  console.log(
    `daemons' CPU, ${own.name} of ${webhdfs.name}: ${ratio(own.name, webhdfs.name, 'daemonSeconds')}`,
  );
}
