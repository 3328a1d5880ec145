// Runs another program to its end: with the lowest claim on processor and disk, within a time limit, and with its words
// kept as far as they are wanted.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ProcessEnd } from './upload-outcome.js';

export interface ProgramRun {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** On top of this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Descriptors that the program keeps open as long as it lives, such as a lock's. */
  readonly held?: readonly number[];
}

export interface ProgramEnd extends ProcessEnd {
  readonly stdout: string;
  /** The last of it. */
  readonly stderr: string;
  readonly durationMs: number;
}

/** After SIGTERM, until SIGKILL: an upload removes what it has half done. */
const graceMs = 30_000;
const stdoutLimit = 2 ** 26;
const stderrLimit = 2 ** 13;

/** Throws the error of Node when the program cannot be started, and nothing else. */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  const [program, ...programArguments] = withLowPriority(run.command);
  const startedMs = performance.now();
  const child = spawn(program, programArguments, {
    stdio: ['ignore', 'pipe', 'pipe', ...(run.held ?? [])],
    env: { ...process.env, ...run.environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(0, stdoutLimit);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrLimit);
  });
  let timedOut = false;
  const ending = new Ending(child);
  const timer = setTimeout(() => {
    timedOut = true;
    ending.begin();
  }, run.timeoutMs);
  const onAbort = (): void => {
    ending.begin();
  };
  run.signal.addEventListener('abort', onAbort, { once: true });
  if (run.signal.aborted) {
    onAbort();
  }
  try {
    return await new Promise<ProgramEnd>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, signal) => {
        resolve({
          exitCode: exitCode ?? undefined,
          signal: signal ?? undefined,
          timedOut,
          stdout,
          stderr: stderr.trim(),
          durationMs: performance.now() - startedMs,
        });
      });
    });
  } finally {
    clearTimeout(timer);
    ending.close();
    run.signal.removeEventListener('abort', onAbort);
  }
}

/** For the log: what ended it. */
export function describeEnd({
  exitCode,
  signal,
  timedOut,
  stderr,
  durationMs,
}: ProgramEnd): string {
  const how = timedOut
    ? `stopped after ${Math.round(durationMs / 1000)} s, the time limit`
    : exitCode === undefined
      ? `ended by ${signal ?? 'a signal'}`
      : `exit code ${exitCode}`;
  return stderr === '' ? how : `${how}: ${stderr}`;
}

/** `command` under nice(1) and ionice(1), as far as the host has them. Each becomes the next: no process more. */
export function withLowPriority(command: readonly string[]): readonly string[] {
  return [
    ...(isInstalled('nice') ? ['nice', '-n', '19'] : []),
    ...(isInstalled('ionice') ? ['ionice', '-c', '3', '-t'] : []),
    ...command,
  ];
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** SIGTERM, and SIGKILL to who does not heed it. */
class Ending {
  readonly #child: ChildProcess;
  #timer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  begin(): void {
    if (this.#timer === undefined) {
      this.#child.kill('SIGTERM');
      this.#timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
