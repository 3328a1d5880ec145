// The guards of captures (src/vm/live/capture-guard.ts) that are at work in a folder.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;

export function guardsIn(folder: string): readonly number[] {
  return readdirSync('/proc').flatMap((entry) => {
    try {
      const words = readFileSync(`/proc/${Number(entry)}/cmdline`, 'utf8').split('\0');
      const isGuard = words.some((word) => word.endsWith('capture-guard-main.js'));
      return isGuard && words.some((word) => word.startsWith(`${folder}/`)) ? [Number(entry)] : [];
    } catch {
      // No process, or it has ended.
      return [];
    }
  });
}

/** False when one is still at work after the time. */
export async function guardsEnd(folder: string, timeoutMs: number): Promise<boolean> {
  const deadlineMs = Date.now() + timeoutMs;
  while (guardsIn(folder).length > 0) {
    if (Date.now() > deadlineMs) return false;
    await sleep(pollMs);
  }
  return true;
}
