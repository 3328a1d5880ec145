// Progress on a terminal: a bar with rate and time left on standard error. Nothing at all in a pipe.
import type { SingleBar } from 'cli-progress';
import type { Progress } from '../../flow/progress.js';
import { progressTerminal } from '../../text/standard-streams.js';
import { visibleText } from '../../text/visible-text.js';
import { formatBytes } from './format.js';

export interface ProgressDisplay {
  readonly show: (progress: Progress) => void;
  /** Clears the bar; showing again opens a new one. */
  readonly close: () => void;
}

export async function openProgress(): Promise<ProgressDisplay> {
  const terminal = progressTerminal();
  if (terminal === undefined) {
    return { show: () => undefined, close: () => undefined };
  }
  // Only here: it takes as long to load as all else that a command is made of.
  const { default: cliProgress } = await import('cli-progress');
  let bar: SingleBar | undefined;
  let phase = '';
  let startedMs = 0;
  return {
    show: (progress) => {
      if (bar === undefined || phase !== progress.phase) {
        bar?.stop();
        phase = progress.phase;
        startedMs = Date.now();
        bar = new cliProgress.SingleBar({
          format: '{phase} {bar} {percentage}% {done}/{all} {rate}/s, {eta_formatted} left',
          formatBar: cliProgress.Format.BarFormat,
          stream: terminal,
          clearOnComplete: true,
          hideCursor: true,
          barsize: 30,
          etaBuffer: 50,
        });
        bar.start(Math.max(progress.totalBytes, 1), 0, labels(progress, startedMs));
      }
      bar.update(progress.doneBytes, labels(progress, startedMs));
    },
    close: () => {
      bar?.stop();
      bar = undefined;
    },
  };
}

function labels({ phase, doneBytes, totalBytes }: Progress, startedMs: number) {
  const seconds = (Date.now() - startedMs) / 1000;
  return {
    // It may name a disk.
    phase: visibleText(phase),
    done: formatBytes(doneBytes),
    all: formatBytes(totalBytes),
    rate: formatBytes(seconds > 0 ? doneBytes / seconds : 0),
  };
}
