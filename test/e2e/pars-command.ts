// Runs the built command line as a child process, the way its users do, and gives what they would see.
//
// Needs `npm run build` (npm test does it). Both streams are pipes, so there is no progress bar. `setpriv --pdeathsig`
// (util-linux) ends the child with the test process, even when that is killed.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const parsMain = fileURLToPath(new URL('../../dist/program/main.js', import.meta.url));

export interface CommandOutcome {
  /** As a shell reports it: 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** What `--json` printed. Throws unless standard output is one JSON value. */
  readonly json: unknown;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandOutcome>;
  readonly hasEnded: () => boolean;
}

export interface CommandOptions {
  /** Handed over in the environment, as PARS_STORE. */
  readonly storeUrl?: string;
  /** More options for node, before the program. */
  readonly nodeArguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Nobody sends these to a command: its runtime or a library in it gave up. */
const crashes: readonly NodeJS.Signals[] = ['SIGABRT', 'SIGBUS', 'SIGILL', 'SIGSEGV'];

export function startPars(
  commandArguments: readonly string[],
  options: CommandOptions = {},
): RunningCommand {
  const inherited = { ...process.env };
  delete inherited['PARS_STORE'];
  const startedMs = performance.now();
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      process.execPath,
      ...(options.nodeArguments ?? []),
      parsMain,
      ...commandArguments,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...inherited,
        // Warnings about NODE_OPTIONS of the test run are not the command's own words.
        NODE_OPTIONS: '',
        ...(options.storeUrl === undefined ? {} : { PARS_STORE: options.storeUrl }),
        ...options.environment,
      },
    },
  );
  const exited = new Promise<NodeJS.Signals | number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 0);
    });
  });
  const ended = Promise.all([
    exited,
    textOrNothing(child.stdout),
    textOrNothing(child.stderr),
  ]).then(([end, stdout, stderr]) => ({
    exitCode: exitCodeOf(end, stderr),
    stdout,
    stderr,
    durationMs: performance.now() - startedMs,
    get json() {
      return JSON.parse(stdout) as unknown;
    },
  }));
  return { child, ended, hasEnded: () => child.exitCode !== null || child.signalCode !== null };
}

function exitCodeOf(end: NodeJS.Signals | number, stderr: string): number {
  if (typeof end === 'number') {
    return end;
  }
  if (crashes.includes(end)) {
    throw new Error(`pars crashed (${end}):\n${stderr}`);
  }
  return 128 + constants.signals[end];
}

export async function runPars(
  commandArguments: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutcome> {
  return await startPars(commandArguments, options).ended;
}

/** For the steps that a test rests on: throws, with what was said, unless the exit code is `exitCode`. */
export async function expectPars(
  exitCode: number,
  commandArguments: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutcome> {
  const outcome = await runPars(commandArguments, options);
  if (outcome.exitCode !== exitCode) {
    throw new Error(
      `expected 'pars ${commandArguments.join(' ')}' to end with ${exitCode}, it ended with ` +
        `${outcome.exitCode} after ${Math.round(outcome.durationMs)} ms:\n${outcome.stderr}\n${outcome.stdout}`,
    );
  }
  return outcome;
}

/** A test may close its end of the pipe before the child has written. */
async function textOrNothing(stream: NodeJS.ReadableStream | null): Promise<string> {
  if (stream === null) {
    return '';
  }
  try {
    return await text(stream);
  } catch {
    return '';
  }
}
