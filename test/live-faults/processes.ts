// The processes that are at work for a case: all have its folder in their command line.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;

/** With this program, where one is named. */
export function processesIn(folder: string, program = ''): readonly number[] {
  return readdirSync('/proc').flatMap((entry) => {
    try {
      const words = readFileSync(`/proc/${Number(entry)}/cmdline`, 'utf8').split('\0');
      const isWanted =
        words.some((word) => word.endsWith(program)) &&
        words.some((word) => word.includes(`${folder}/`));
      return isWanted ? [Number(entry)] : [];
    } catch {
      // No process, or it has ended.
      return [];
    }
  });
}

/** A guard of a capture, by the file that it runs (build/bundle.mjs). */
export const guardsIn = (folder: string): readonly number[] =>
  processesIn(folder, 'capture-guard.js');

/** False when one is still at work after the time. */
export async function processesEnd(folder: string, timeoutMs: number): Promise<boolean> {
  const deadlineMs = Date.now() + timeoutMs;
  while (processesIn(folder).length > 0) {
    if (Date.now() > deadlineMs) {
      return false;
    }
    await sleep(pollMs);
  }
  return true;
}
