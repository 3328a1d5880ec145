// Which files somebody may still write to: those that a process has open for writing, as /proc tells.
//
// Processes of other users are seen by root alone, those of other hosts by nobody: where a folder is shared, what is left
// is that a file keeps still for a while.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The access mode in open(2)'s flags: 0 reads only. */
const accessMask = 0o3;

export const fileKey = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string =>
  `${dev}:${ino}`;

/** Keys of those of the wanted files that are open for writing. */
export async function openForWriting(
  wanted: ReadonlySet<string>,
  procPath = '/proc',
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (wanted.size === 0) {
    return found;
  }
  for (const pid of await readdir(procPath)) {
    if (/^\d+$/.test(pid)) {
      for (const fd of await namesIn(join(procPath, pid, 'fd'))) {
        const key = await keyOf(join(procPath, pid, 'fd', fd));
        if (key !== undefined && wanted.has(key)) {
          if (await isWritable(join(procPath, pid, 'fdinfo', fd))) {
            found.add(key);
          }
        }
      }
    }
  }
  return found;
}

/** None of a process that has ended, or that this user may not look into. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => []);
}

async function keyOf(path: string): Promise<string | undefined> {
  return await stat(path, { bigint: true }).then(fileKey, () => undefined);
}

/** Closed meanwhile means that it is no longer written to. */
async function isWritable(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const flags = /^flags:\s*([0-7]+)$/m.exec(text)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & accessMask) !== 0;
}
