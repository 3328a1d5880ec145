// The folder that a VM is resumed from: it has its VM once, by one script.
import { spawn } from 'node:child_process';
import { lstat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';
import { markerName, scriptName } from '../../vm/resume/resume-script.js';
import { expectOutputFolder } from '../output/output-folder.js';

/**
 * Throws `already-exists` when the folder has had its VM, or its script, `permission-denied` when somebody else could
 * change these.
 */
export async function expectFirstRun(folder: string): Promise<void> {
  expectOutputFolder(folder);
  for (const name of [markerName, scriptName]) {
    const path = join(folder, name);
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) {
      throw new ParsError(
        'already-exists',
        `${path} is there already, of an earlier restore; restore to another folder, or remove that one`,
      );
    }
  }
}

/** What is written can hold passwords. */
export async function writeScript(path: string, script: string): Promise<void> {
  await writeFile(path, script, { flag: 'wx', mode: 0o700 }).catch((error: unknown) => {
    throw diskError(error, `cannot write ${path}`);
  });
}

/** Runs the script and returns its exit code. `signal` ends the script, and with it the VM where QEMU is its child. */
export async function runScript(path: string, signal: AbortSignal | undefined): Promise<number> {
  if (signal?.aborted === true) {
    throw new ParsError('cancelled', `the VM was not started; ${path} starts it`);
  }
  // By bash, as the folder may lie where nothing may be executed.
  const child = spawn('bash', [path], { stdio: 'inherit' });
  const stop = (): void => {
    child.kill('SIGINT');
  };
  signal?.addEventListener('abort', stop);
  try {
    return await new Promise<number>((done, reject) => {
      child.once('error', (error) => {
        reject(diskError(error, `cannot run ${path} with bash`));
      });
      child.once('exit', (code, signalName) => {
        done(code ?? 128 + (signalName === null ? 0 : constants.signals[signalName]));
      });
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
