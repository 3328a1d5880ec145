// What must hold after any fault: only whole snapshots are to be seen in the store, the next upload succeeds and leaves
// nothing of ours on the host or in the VM, and what it stored is a VM that goes on.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes } from '../../src/cli/shared/exit-code.js';
import { listAnswer, uploadAnswer, verifyAnswer } from '../e2e/command-answers.js';
import { runPars } from '../e2e/pars-command.js';
import { type FaultCase, namesIn, vmName } from './fault-case.js';
import { processesEnd } from './processes.js';

const endTimeoutMs = 60_000;

export interface AftermathOptions {
  /** Let the restored VM go on too, which takes some seconds. */
  readonly resumes: boolean;
}

export async function aftermathOf(
  fault: FaultCase,
  { resumes }: AftermathOptions,
): Promise<readonly string[]> {
  const { storeUrl, scratch, spool, folder, nextLive } = fault;
  const found: string[] = [];
  const next = await runPars(
    [
      ...['upload', '--qmp', nextLive.guest.qmpSocketPath, '--name', vmName],
      ...['--scratch', scratch, '--json'],
    ],
    { storeUrl },
  );
  if (next.exitCode !== 0) {
    return [`the next upload ended with ${next.exitCode}: ${next.stderr.trim()} ${next.stdout}`];
  }
  if (!(await processesEnd(folder, endTimeoutMs))) {
    found.push('a process of ours is still at work');
  }
  found.push(...(await nextLive.findings()).map((finding) => `after the next upload, ${finding}`));
  for (const path of [scratch, join(spool, 'incoming'), join(spool, 'leaving')]) {
    const names = namesIn(path);
    if (names.length > 0) {
      found.push(`left in ${path}: ${names.join(' ')}`);
    }
  }
  const { id } = uploadAnswer.parse(next.json);
  return [
    ...found,
    ...(await storeFindings(fault)),
    ...(await restoreFindings(fault, id, resumes)),
  ];
}

/** Every snapshot that is listed is whole. */
async function storeFindings({ storeUrl }: FaultCase): Promise<readonly string[]> {
  const list = await runPars(['list', '--json'], { storeUrl });
  if (list.exitCode !== 0) {
    return [`pars list ended with ${list.exitCode}: ${list.stderr.trim()}`];
  }
  const found: string[] = [];
  for (const { id } of listAnswer.parse(list.json)) {
    const { exitCode, stdout } = await runPars(['verify', id, '--read-data', '--json'], {
      storeUrl,
    });
    // HDFS may still be making copies that a dead node had.
    if (exitCode !== 0 && !(exitCode === exitCodes.underReplicated && hasAllBytes(stdout))) {
      found.push(`pars verify ${id} ended with ${exitCode}: ${stdout}`);
    }
  }
  return found;
}

function hasAllBytes(stdout: string): boolean {
  const { lostPageCount, wrongFiles } = verifyAnswer.parse(JSON.parse(stdout));
  return lostPageCount === 0 && wrongFiles.length === 0;
}

async function restoreFindings(
  { storeUrl, folder, nextLive }: FaultCase,
  id: string,
  resumes: boolean,
): Promise<readonly string[]> {
  const out = join(folder, 'out');
  const form = nextLive.kind === 'background' ? ['--output-format', 'migration'] : [];
  const { exitCode, stderr } = await runPars(['restore', id, '--out', out, ...form], { storeUrl });
  if (exitCode !== 0) {
    return [`pars restore ended with ${exitCode}: ${stderr.trim()}`];
  }
  try {
    return resumes ? await nextLive.goesOnFrom(out) : [];
  } finally {
    rmSync(out, { recursive: true });
  }
}
