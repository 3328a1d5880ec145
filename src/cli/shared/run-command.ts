// What every command has in common: a signal that Ctrl-C aborts, output for people or for programs, errors as exit codes.
import { ParsError } from '../../../introspect/pars-error.js';
import type { OnProgress } from '../../flow/progress.js';
import {
  flatLines,
  type Lines,
  watchStreams,
  writeJson,
  writeLines,
} from '../../text/standard-streams.js';
import { exitCodeOfError } from './exit-code.js';
import { openProgress } from './progress-bar.js';
import { reportError } from './report-error.js';

export interface CommonOptions {
  readonly json?: boolean;
}

export interface CommandContext {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** The result: with `--json` the value alone, else the lines, each a string of its own. To standard output. */
  readonly print: (value: unknown, lines: () => Lines) => void;
  /** Something a person should know that is no failure: a sentence, and what belongs to it on lines below. To standard error. */
  readonly warn: (lines: Lines) => void;
}

/** Runs a command to its exit code. Never rejects. */
export async function runCommand(
  options: CommonOptions,
  command: (context: CommandContext) => number | Promise<number>,
): Promise<void> {
  const abort = new AbortController();
  const progress = await openProgress();
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
  watchStreams();
  try {
    process.exitCode = await command({
      signal: abort.signal,
      onProgress: progress.show,
      print: (value, lines) => {
        progress.close();
        if (options.json === true) {
          writeJson(value);
        } else {
          writeLines('stdout', lines());
        }
      },
      warn: (lines) => {
        progress.close();
        const [sentence, ...below] = flatLines(lines);
        writeLines('stderr', [`pars: warning: ${sentence}`, below]);
      },
    });
  } catch (error) {
    progress.close();
    const told = abort.signal.aborted && isAbort(error) ? stopped(error) : error;
    process.exitCode = reportError(told, { isJson: options.json === true });
  } finally {
    progress.close();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/** Whether it is the error of Node and of `throwIfAborted`: whatever was at work had nothing of its own to say. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function stopped(cause: unknown): ParsError {
  return new ParsError('cancelled', 'stopped before it was done', { cause });
}
