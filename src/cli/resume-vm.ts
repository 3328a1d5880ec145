// What `pars restore --resume` does after the restore: DIR/resume.sh, which starts the VM, and if wanted its run.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { lstat, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from '../flow/disk-error.js';
import { readMachineFile } from '../vm/machine-file.js';
import { planResume } from '../vm/plan-resume.js';
import { parseQemuCommand, type QemuCommand } from '../vm/qemu-command.js';
import { parseReplacement } from '../vm/replace-path.js';
import { markerName, resumeScript, scriptName } from '../vm/resume-script.js';
import { checkRamElsewhere } from '../vm/saved-state.js';

export interface ResumeRequest {
  /** Where the restore wrote. */
  readonly folder: string;
  readonly ramPath?: string | undefined;
  readonly statePath?: string | undefined;
  /** A whole migration stream, in place of both. */
  readonly streamPath?: string | undefined;
  /** As kept in the snapshot. */
  readonly machine?: Uint8Array | undefined;
  /** Goes before the one of the snapshot. */
  readonly machineFile?: string | undefined;
  /** OLD=NEW each. */
  readonly replacements: readonly string[];
  /** The restored disk. */
  readonly diskPath?: string | undefined;
  readonly mode: 'write' | 'run';
  /** Ends the VM, in the mode `run`. */
  readonly signal?: AbortSignal | undefined;
  readonly warn: (sentence: string) => void;
}

export interface ResumeResult {
  readonly scriptPath: string;
  /** Of the script (src/vm/resume-script.ts); undefined when it was only written. */
  readonly exitCode: number | undefined;
}

/** For before the restore, which takes minutes. Throws as `resumeVm` would for the same reasons. */
export async function checkResume(
  request: Pick<ResumeRequest, 'folder' | 'machine' | 'machineFile' | 'replacements'>,
): Promise<void> {
  request.replacements.forEach(parseReplacement);
  await readMachine(request);
  await checkFirst(request.folder);
}

/** Throws `usage` when there is no machine or it does not fit, `already-exists` when the folder has had its VM. */
export async function resumeVm(request: ResumeRequest): Promise<ResumeResult> {
  const { mode, signal } = request;
  const folder = resolve(request.folder);
  const command = await readMachine(request);
  await checkFirst(folder);
  const saved = await savedOf(request);
  const plan = planResume({
    command,
    ram: saved.ram,
    folder,
    replacements: request.replacements.map(parseReplacement),
    diskPath: request.diskPath === undefined ? undefined : resolve(request.diskPath),
  });
  warnOfDisks(request, plan.diskPaths);
  const scriptPath = join(folder, scriptName);
  const script = resumeScript({
    command: plan.command,
    folder,
    statePath: saved.statePath,
    isRamElsewhere: saved.ram !== undefined,
  });
  // Command lines can hold passwords.
  await writeFile(scriptPath, script, { flag: 'wx', mode: 0o700 }).catch((error: unknown) => {
    throw diskError(error, `cannot write ${scriptPath}`);
  });
  return { scriptPath, exitCode: mode === 'run' ? await runScript(scriptPath, signal) : undefined };
}

async function readMachine({
  machine,
  machineFile,
}: Pick<ResumeRequest, 'machine' | 'machineFile'>): Promise<QemuCommand> {
  if (machineFile !== undefined) {
    return parseQemuCommand(await readMachineFile(machineFile), machineFile);
  }
  if (machine !== undefined) {
    return parseQemuCommand(machine, 'of the snapshot');
  }
  throw new ParsError(
    'usage',
    "the snapshot was uploaded without its machine: give QEMU's command line with --machine FILE, such as " +
      '/proc/PID/cmdline of the QEMU that it came from',
  );
}

async function checkFirst(folder: string): Promise<void> {
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

async function savedOf({ ramPath, statePath, streamPath }: ResumeRequest): Promise<{
  readonly statePath: string;
  readonly ram: { readonly path: string; readonly sizeBytes: number } | undefined;
}> {
  if (streamPath !== undefined) {
    return { statePath: resolve(streamPath), ram: undefined };
  }
  if (ramPath === undefined || statePath === undefined) {
    throw new ParsError(
      'usage',
      'the snapshot holds no device state, so its VM cannot be resumed; upload with --state',
    );
  }
  checkRamElsewhere(statePath);
  const { size } = await stat(ramPath).catch((error: unknown) => {
    throw diskError(error, `cannot look at ${ramPath}`);
  });
  return { statePath: resolve(statePath), ram: { path: resolve(ramPath), sizeBytes: size } };
}

function warnOfDisks({ diskPath, warn }: ResumeRequest, diskPaths: readonly string[]): void {
  const disks = diskPaths.join(' and ');
  if (diskPath !== undefined && !diskPaths.includes(resolve(diskPath))) {
    warn(
      diskPaths.length === 0
        ? `the machine writes to no disk, so ${diskPath} is not used`
        : `the VM's disks stay ${disks}; say with --replace OLD=${diskPath} which of them the restored disk is`,
    );
  } else if (diskPath === undefined && diskPaths.length > 0) {
    warn(
      `the VM's disks are ${disks}: they must be as they were at the snapshot, or its file systems break; ` +
        '--replace OLD=NEW names copies',
    );
  }
}

async function runScript(path: string, signal: AbortSignal | undefined): Promise<number> {
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
