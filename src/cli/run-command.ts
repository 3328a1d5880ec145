// What every command has in common: a signal that Ctrl-C aborts, output for people or for programs, errors as exit codes.
import { ParsError } from '../../introspect/pars-error.js';
import type { OnProgress } from '../flow/progress.js';
import { exitCodeOfError, exitCodes } from './exit-code.js';
import { openProgress } from './progress-bar.js';

export interface CommonOptions {
  readonly json?: boolean;
}

export interface CommandContext {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** The result: with `--json` the value alone, else the lines. To standard output. */
  readonly print: (value: unknown, lines: () => string) => void;
  /** Something a person should know that is no failure. To standard error. */
  readonly warn: (sentence: string) => void;
}

/** Runs a command to its exit code. Never rejects. */
export async function runCommand(
  options: CommonOptions,
  command: (context: CommandContext) => Promise<number>,
): Promise<void> {
  const abort = new AbortController();
  const progress = openProgress();
  const stop = (): void => {
    if (abort.signal.aborted) {
      // Asked twice: at once, without removing what is half done. The terminal gets its cursor back all the same.
      progress.close();
      process.exit(exitCodeOfError.cancelled);
    }
    abort.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // `pars list | head` closes the pipe: that is no failure, and the work goes on to its own exit code.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') {
        process.exit(exitCodes.internal);
      }
    });
  }
  try {
    process.exitCode = await command({
      signal: abort.signal,
      onProgress: progress.show,
      print: (value, lines) => {
        progress.close();
        process.stdout.write(`${options.json === true ? JSON.stringify(value) : lines()}\n`);
      },
      warn: (sentence) => {
        progress.close();
        process.stderr.write(`pars: warning: ${sentence}\n`);
      },
    });
  } catch (error) {
    progress.close();
    process.exitCode = reportError(error, options);
  } finally {
    progress.close();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

function reportError(error: unknown, options: CommonOptions): number {
  const known = error instanceof ParsError;
  const code = known ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`pars: ${message}\n`);
  if (!known && error instanceof Error && error.stack !== undefined) {
    process.stderr.write(`This is a defect of pars. ${error.stack}\n`);
  }
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  }
  return known ? exitCodeOfError[error.code] : exitCodes.internal;
}
