// How often an entry was tried, and when it is tried again: `attempts.json` in its folder, written by who has its lock.
import { join } from 'node:path';
import { z } from 'zod';
import { moment } from '../flow/bounded.js';
import { replaceFile } from '../host/durable-file.js';
import { readSmallFile } from '../host/read-small-file.js';
import { isAbsent } from './is-absent.js';

export const attemptsFile = 'attempts.json';
/** The last error's words are the only thing in it of any length. */
const maxFileBytes = 2 ** 20;

const attemptsSchema = z.object({
  version: z.literal(1),
  /** Counted before each begins: one that was killed counts. */
  count: z.int().min(0).max(1_000_000_000),
  /** Not tried again before. */
  nextMs: moment,
  /** `failed`: the same would happen again, as far as can be told. */
  state: z.enum(['waiting', 'failed']),
  lastMs: moment.optional(),
  /** `exitCode` is of `pars upload`; absent when a signal or the time limit ended it. */
  lastError: z.object({ message: z.string(), exitCode: z.int().optional() }).optional(),
});

export type Attempts = Readonly<z.infer<typeof attemptsSchema>>;

export const noAttempts: Attempts = { version: 1, count: 0, nextMs: 0, state: 'waiting' };
/** Where the file cannot be read, one may have been made: whoever sends it looks into the store first. */
const unknownAttempts: Attempts = { ...noAttempts, count: 1 };

export async function readAttempts(folder: string): Promise<Attempts> {
  try {
    const text = await readSmallFile(join(folder, attemptsFile), maxFileBytes);
    return attemptsSchema.parse(JSON.parse(text));
  } catch (error) {
    return isAbsent(error) ? noAttempts : unknownAttempts;
  }
}

export async function writeAttempts(folder: string, attempts: Attempts): Promise<void> {
  await replaceFile(join(folder, attemptsFile), `${JSON.stringify(attempts)}\n`);
}
