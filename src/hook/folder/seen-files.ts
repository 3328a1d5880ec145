// What a watched folder has given already, kept in the spool: a file that stays where it is, is taken once, also by the
// next run. Only what is still in the folder is kept in mind, so it is as long as the folder's list.
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { diskError } from '../../host/disk-error.js';
import { replaceFile } from '../../host/durable-file.js';
import { withSpoolLock } from '../../spool/lock.js';
import type { Spool } from '../../spool/spool.js';

/** By name, device, inode, size and time of change of all that belongs to it. */
const seenSchema = z.object({ folder: z.string(), seen: z.record(z.string(), z.string()) });

export class SeenFiles {
  readonly #spool: Spool;
  readonly #folder: string;
  readonly #path: string;
  #seen: ReadonlyMap<string, string>;

  private constructor(spool: Spool, folder: string, path: string, seen: Map<string, string>) {
    this.#spool = spool;
    this.#folder = folder;
    this.#path = path;
    this.#seen = seen;
  }

  /** What cannot be read is forgotten: the spool itself still knows what was sent. Throws where the folder is none. */
  static async open(spool: Spool, folderPath: string): Promise<SeenFiles> {
    const folder = await realpath(folderPath).catch((error: unknown) => {
      throw diskError(error, `cannot look into the folder ${folderPath}`);
    });
    const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16);
    const path = join(spool.paths.state, `seen-${hash}.json`);
    const seen = await readFile(path, 'utf8').then(
      (text) => {
        const parsed = seenSchema.safeParse(jsonOf(text));
        return new Map(parsed.success ? Object.entries(parsed.data.seen) : []);
      },
      () => new Map<string, string>(),
    );
    return new SeenFiles(spool, folder, path, seen);
  }

  has(name: string, facts: string): boolean {
    return this.#seen.get(name) === facts;
  }

  /** `present`: names in the folder now. */
  async add(name: string, facts: string, present: ReadonlySet<string>): Promise<void> {
    const kept = [...this.#seen].filter(([other]) => present.has(other));
    this.#seen = new Map([...kept, [name, facts]]);
    const seen = Object.fromEntries(this.#seen);
    await withSpoolLock(this.#spool.paths.root, () =>
      replaceFile(this.#path, `${JSON.stringify({ folder: this.#folder, seen })}\n`),
    );
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
