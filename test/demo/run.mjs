#!/usr/bin/env node
// What `npm run demo` starts. Plain JavaScript without dependencies, since a fresh checkout has none yet: it makes the
// machine ready first (test/setup/prepare.mjs) and then runs the demo itself, demo.ts, through the local tsx.
//
// All that the demo writes lies in one temporary folder. It belongs to this process, which removes it however the demo
// ends: well, with a failure, or killed.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testedSeries } from '../setup/kernel.mjs';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const HDFS_OPTIONS = ['--hdfs', '--hdfs-native'];

const HELP = `npm run demo [-- OPTIONS]

Boots a virtual machine, takes a snapshot of its memory, stores it, restores it and lets the restored machine run on.
Needs about 3 GiB in ${tmpdir()} (TMPDIR names another folder) and removes everything at the end.

  --hdfs          store in a real HDFS, a NameNode and five DataNodes started here, instead of in five folders
  --hdfs-native   the same, but by HDFS's own protocols (hdfs://) instead of WebHDFS
  --help          this text

The first run installs what is missing and needs the network for that; later runs do not.
`;

let child;
let interruptedBy;

/** Ctrl-C reaches the child by itself; a signal that was sent to this process alone has to be handed on. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interruptedBy ??= signal;
    child?.kill(signal);
  });
}

function runNode(nodeArguments) {
  return new Promise((resolve, reject) => {
    child = spawn(process.execPath, nodeArguments, { cwd: REPOSITORY, stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? EXIT_FAILURE));
  });
}

/** `wanted`: nothing, --hdfs or --hdfs-native. */
async function prepareAndRun(wanted) {
  const prepared = await runNode([
    join('test', 'setup', 'prepare.mjs'),
    `--kernel=${testedSeries.default}`,
    ...(wanted.length > 0 ? ['--hdfs'] : []),
  ]);
  if (prepared !== 0 || interruptedBy !== undefined) {
    return prepared;
  }
  const folder = mkdtempSync(join(tmpdir(), 'pars-demo-'));
  try {
    const demo = join('test', 'demo', 'demo.ts');
    return await runNode(['--import', 'tsx', demo, '--folder', folder, ...wanted]);
  } finally {
    // A process killed a moment ago may still finish one write.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

async function main(given) {
  const unknown = given.find((argument) => ![...HDFS_OPTIONS, '--help', '-h'].includes(argument));
  if (unknown !== undefined) {
    process.stderr.write(
      `demo: expected --hdfs, --hdfs-native or --help, found '${unknown}'; see npm run demo -- --help\n`,
    );
    return EXIT_USAGE;
  }
  if (given.includes('--help') || given.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  const status = await prepareAndRun(given.filter((argument) => HDFS_OPTIONS.includes(argument)));
  return interruptedBy === undefined ? status : 128 + constants.signals[interruptedBy];
}

process.exitCode = await main(process.argv.slice(2));
