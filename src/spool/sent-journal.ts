// Which snapshots were sent from a spool, so that one that is offered again is not sent again: a line of JSON each, in
// `state/sent.jsonl`, written before the entry is removed.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { moment } from '../flow/bounded.js';
import { diskError } from '../host/disk-error.js';
import { appendLine, replaceFile } from '../host/durable-file.js';
import { isAbsent } from './is-absent.js';
import { withSpoolLock } from './lock.js';
import type { Spool } from './spool.js';

const sentSchema = z.object({
  /** The entry's name. */
  entry: z.string(),
  vm: z.string(),
  createdMs: moment,
  /** The snapshot's id in the store. */
  id: z.string(),
  sentMs: moment,
});

export type SentEntry = Readonly<z.infer<typeof sentSchema>>;

/** The last so many are remembered; a snapshot older than these that is offered again is sent again. */
export const rememberedCount = 10_000;

const journalPath = ({ paths }: Spool): string => join(paths.state, 'sent.jsonl');

/** Oldest first. A line that a crash cut short counts for nothing. */
export async function readSent(spool: Spool): Promise<readonly SentEntry[]> {
  const path = journalPath(spool);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isAbsent(error)) {
      return '';
    }
    throw diskError(error, `cannot read ${path}, which says what was sent`);
  });
  return text.split('\n').flatMap((line) => {
    try {
      return [sentSchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

export async function recordSent(spool: Spool, sent: SentEntry): Promise<void> {
  await withSpoolLock(spool.paths.root, async () => {
    await appendLine(journalPath(spool), sent);
    const all = await readSent(spool);
    if (all.length >= 2 * rememberedCount) {
      const lines = all.slice(-rememberedCount).map((entry) => `${JSON.stringify(entry)}\n`);
      await replaceFile(journalPath(spool), lines.join(''));
    }
  });
}
