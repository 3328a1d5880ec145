// Small files that a power cut leaves as they were or as they are to be, never in between. What others may have put in
// the way, such as a symbolic link, is never written through.
import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from './disk-error.js';
import { isTrustedUser } from './ownership.js';

const privateMode = 0o600;

export interface ReplaceOptions {
  readonly mode?: number;
  /** False: it outlives this process, but not a power cut. */
  readonly isLasting?: boolean;
}

/** What stands under the name is replaced in one step; a link that has the name is replaced, not followed. */
export async function replaceFile(
  path: string,
  content: string,
  { mode = privateMode, isLasting = true }: ReplaceOptions = {},
): Promise<void> {
  // Always the same name, which leaves nothing to clean up after a crash. Who writes holds the lock for it.
  const part = `${path}.part`;
  try {
    const file = await createAnew(part, mode);
    try {
      await file.writeFile(content);
      // Whatever the umask.
      await file.chmod(mode);
      if (isLasting) {
        await file.sync();
      }
    } finally {
      await file.close();
    }
    await rename(part, path);
    if (isLasting) {
      await syncPath(dirname(path));
    }
  } catch (error) {
    await unlink(part).catch(() => undefined);
    throw diskError(error, `cannot write ${path}`);
  }
}

/** A line is appended by one write, so that lines of several processes do not mix. */
export async function appendLine(path: string, value: unknown): Promise<void> {
  try {
    const file = await open(path, appendFlags, privateMode);
    try {
      const stats = await file.stat();
      if (!stats.isFile() || !isTrustedUser(stats.uid) || stats.nlink !== 1) {
        throw new ParsError(
          'permission-denied',
          `${path} is not a file of this user's alone, and nothing was written to it: move it away`,
        );
      }
      // A line that a crash cut short must not swallow this one: readers skip what is no JSON, such as an empty line.
      await file.write(`\n${JSON.stringify(value)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof ParsError ? error : diskError(error, `cannot append to ${path}`);
  }
}

/** For a file of ours that grows: no link is followed, and no pipe waited for. */
export const appendFlags =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/** Makes a file's content, or a folder's names, outlive a power cut. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whatever had the name is gone then; never what a link leads to. */
async function createAnew(path: string, mode: number): Promise<FileHandle> {
  await unlink(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
  });
  return await open(path, 'wx', mode);
}
