// What a witness in a guest answers when it is asked (test/guest/live.sh).
import type { Guest } from '../guest/guest.js';

export type WitnessRole = 'records' | 'pages' | 'ticks';

export interface WitnessAnswer {
  /** How many records are on the disk, how many rounds went through the pages, or how many ticks there were. */
  readonly count: number;
  readonly wrong: readonly string[];
  /** The longest gaps between ticks since it was asked last, by the guest's own clock; none for other roles. */
  readonly gapsMs: readonly number[];
}

const answerTimeoutMs = 60_000;

export async function askWitness(guest: Guest, role: WitnessRole): Promise<WitnessAnswer> {
  const lines = (await guest.command(`witness ${role}`, answerTimeoutMs)).split('\n');
  const after = (prefix: string): readonly string[] =>
    lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  const count = after('count ').at(0);
  return {
    count: Number(count),
    wrong: [
      ...after('wrong: ').map((line) => `${role}: ${line}`),
      ...(count === undefined ? [`${role}: expected an answer, found ${lines.join(' ')}`] : []),
    ],
    gapsMs: after('gap ').map((line) => Number(line.split(' ')[1]) / 1000),
  };
}
