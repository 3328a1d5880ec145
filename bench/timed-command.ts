// Runs a command as a whole process and says how long it took and how much memory it had at its peak.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TimedRun {
  readonly seconds: number;
  /** Largest resident set of the process, as the kernel accounts for it. */
  readonly peakRssMib: number;
  /** User and system time of the process and of those that it waited for. */
  readonly cpuSeconds: number;
  readonly stdout: string;
}

const clockPath = '/usr/bin/time';

/** Rejects when the command fails. GNU time does the measuring: it knows the peak of a child that has ended. */
export async function runTimed(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<TimedRun> {
  const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
  const report = join(folder, 'time');
  try {
    const started = performance.now();
    const stdout = await run(
      clockPath,
      ['-f', '%M %U %S', '-o', report, command, ...args],
      environment,
    );
    const seconds = (performance.now() - started) / 1000;
    const lastLine = (await readFile(report, 'utf8')).trim().split('\n').at(-1) ?? '';
    const [peakKib, userSeconds, systemSeconds] = lastLine.split(' ').map(Number);
    const cpuSeconds = userSeconds + systemSeconds;
    return { seconds, peakRssMib: peakKib / 1024, cpuSeconds, stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  const [stdout, stderr] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    ended(),
  ]);
  return stdout + (child.exitCode === 0 ? '' : fail(stderr));

  function ended(): Promise<void> {
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => {
        resolve();
      });
    });
  }

  function fail(stderrText: string): never {
    throw new Error(`${command} ${args.join(' ')} ended with ${child.exitCode}: ${stderrText}`);
  }
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const piece of stream) {
    text += String(piece);
  }
  return text;
}
