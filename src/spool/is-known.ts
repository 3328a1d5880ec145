// Whether the spool has, or had and sent, an entry.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSent } from './sent-journal.js';
import type { Spool } from './spool.js';

export async function isKnown(spool: Spool, entry: string): Promise<boolean> {
  return (
    existsSync(join(spool.paths.entries, entry)) ||
    (await readSent(spool)).some((sent) => sent.entry === entry)
  );
}
