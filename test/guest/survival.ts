// Whether a resumed guest is still a whole machine: its memory and files are what they were, what ran runs on, and it can
// do what a machine does next - start programs, write files, take memory back and hand it out again. survival.sh is the
// guest's side. A guest that dies or hangs has not survived; that is an answer as well.

import { checksumDifferences, parseChecksums } from './checksums.js';
import type { Guest } from './guest.js';
import type { GuestOptions, Workload } from './guest-options.js';
import { severeLines } from './kernel-log.js';

const CHECK_TIMEOUT_MS = 120_000;
const LOG_TIMEOUT_MS = 20_000;

const smallMixture = {
  ramSizeMib: 640,
  anonymousSizeMib: 4,
  tmpfsSizeMib: 8,
  disk: { contentSizeMib: 60 },
} as const;

/**
 * Sizes under which the check can take four fifths of the RAM, and what the workload itself holds in memory still has
 * room, and which do not take long.
 */
export const survivalSizes: Readonly<Record<Workload, GuestOptions>> = {
  mixed: smallMixture,
  aged: smallMixture,
  // All the files that it maps.
  cache: { ramSizeMib: 512, disk: { contentSizeMib: 80 } },
  anonymous: { ramSizeMib: 1024 },
  programs: { ramSizeMib: 512 },
  database: { ramSizeMib: 512 },
  live: { ramSizeMib: 512 },
};

export interface SurvivalOptions {
  /** How long the guest may take for any one check. Kernels that watch over their own memory are slow. */
  readonly checkTimeoutMs?: number;
  /** Hears how long each took. */
  readonly onCheck?: (check: string, elapsedMs: number) => void;
}

/**
 * Everything that is wrong with a resumed guest, with what was expected and found; nothing if it survived. `before` are
 * the original's `checksums()` from before its snapshot. Leaves the guest with empty caches and memory that has been full.
 */
export async function checkSurvival(
  guest: Guest,
  before: ReadonlyMap<string, string>,
  options: SurvivalOptions = {},
): Promise<readonly string[]> {
  const wrong: string[] = [];
  try {
    for await (const found of findings(guest, before, options)) {
      wrong.push(found);
    }
  } catch (error) {
    const { message } = error as Error;
    const words = guest.lastWords();
    // When QEMU itself has ended they are in the message already.
    const end = message.includes(words) ? '' : `\n${words}`;
    wrong.push(`expected the guest to answer, found: ${message}${end}`);
    // One whose shell alone has died may still say why.
    wrong.push(...(await severeLog(guest).catch(() => [])));
  }
  return wrong;
}

async function severeLog(guest: Guest): Promise<string[]> {
  const log = await guest.command('log_since_mark', LOG_TIMEOUT_MS);
  return severeLines(log).map((line) => `kernel log: ${line}`);
}

async function* findings(
  guest: Guest,
  before: ReadonlyMap<string, string>,
  { checkTimeoutMs = CHECK_TIMEOUT_MS, onCheck }: SurvivalOptions,
): AsyncGenerator<string> {
  const ask = async (check: string): Promise<string> => {
    const startedMs = performance.now();
    // What went wrong is in the answer; the exit status of a function's last command says nothing.
    const answer = await guest.command(`${check}; true`, checkTimeoutMs);
    onCheck?.(check, performance.now() - startedMs);
    return answer;
  };
  const look = async (when: string, check: string): Promise<string[]> => {
    const lines = (await ask(check)).split('\n');
    return lines.filter((line) => line !== '').map((line) => `${when}: ${line}`);
  };
  const compare = async (when: string, check: string): Promise<string[]> => {
    const found = parseChecksums(await ask(check));
    const names = [...before.keys()].filter(
      (name) => isInMemory(name) === (check === 'memory_checksums'),
    );
    const expected = new Map(names.map((name) => [name, before.get(name) ?? '']));
    return checksumDifferences(expected, found).map((line) => `${when}: ${line}`);
  };

  const dead = await look('after the resume', 'survival_processes');
  yield* dead;
  if (dead.length > 0) {
    // Whoever asks the dead waits for ever.
    yield* await severeLog(guest);
    return;
  }
  yield* await compare('after the resume', 'file_checksums');
  yield* await compare('after the resume', 'memory_checksums');
  yield* await look('after the resume', 'survival_held');
  yield* await look('after the resume', 'survival_work');
  yield* await look('after the resume', 'survival_of_new_programs');
  yield* await look('written files', 'survival_of_writing');
  yield* await compare('after dropping caches', 'file_checksums');
  yield* await look('under pressure', 'survival_of_pressure');
  yield* await compare('after the pressure', 'memory_checksums');
  yield* await look('after the pressure', 'survival_held');
  yield* await look('after the pressure', 'survival_work');
  yield* await look('after the pressure', 'survival_of_new_programs');
  yield* await look('in the end', 'survival_processes');
  yield* await severeLog(guest);
}

/** Which of the two functions of commands.sh tells it. */
function isInMemory(name: string): boolean {
  return name.startsWith('shm/') || ['anonymous', 'huge', 'rows'].includes(name);
}
