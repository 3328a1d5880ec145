// When a fault strikes. How far a capture is, stands in the journal that it keeps in its folder.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * `starting`: nothing of the VM was touched, `storing`: the capture is whole; in between as in the journal
 * (src/vm/capture/journal.ts).
 */
export const phases = ['starting', 'prepared', 'stopping', 'running', 'storing'] as const;
export type Phase = (typeof phases)[number];

export interface Moment {
  /** The fault comes as soon as this phase is seen, or a later one, and the delay is over. */
  readonly phase: Phase;
  readonly delayMs: number;
}

const pollMs = 1;
/** About how long a phase takes with the guests here. */
const lengthMs: Readonly<Record<Phase, number>> = {
  starting: 400,
  prepared: 120,
  stopping: 60,
  running: 800,
  storing: 1500,
};

/** Each case has its phase; where in it, is left to chance. */
export function momentOf(index: number, random: () => number, wanted: readonly Phase[]): Moment {
  const phase = wanted[index % wanted.length];
  return { phase, delayMs: random() * lengthMs[phase] };
}

/** `folder`: what captures make their own folders in; `doneFolder`: where a whole capture is. */
export function phaseOf(folder: string, doneFolder: string): Phase {
  const names = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : []);
  for (const name of names(folder).filter((entry) => entry.endsWith('.part'))) {
    try {
      const journal = JSON.parse(readFileSync(join(folder, name, 'journal.json'), 'utf8')) as {
        readonly phase: Phase;
      };
      return journal.phase;
    } catch {
      // Not there yet, or gone already, in between.
    }
  }
  return names(doneFolder).some((name) => /\.[0-9a-f]{16}(?:\.storing)?$/.test(name))
    ? 'storing'
    : 'starting';
}

/** False when the work ended before. */
export async function untilMoment(
  { phase, delayMs }: Moment,
  current: () => Phase,
  hasEnded: () => boolean,
): Promise<boolean> {
  const wanted = phases.indexOf(phase);
  while (phases.indexOf(current()) < wanted) {
    if (hasEnded()) {
      return false;
    }
    await sleep(pollMs);
  }
  await sleep(delayMs);
  return !hasEnded();
}
