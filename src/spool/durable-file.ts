// Small files that a power cut leaves as they were or as they are to be, never in between.
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError } from '../flow/disk-error.js';

const privateMode = 0o600;

/** What stands under the name is replaced in one step. */
export async function replaceFile(
  path: string,
  content: string,
  { mode = privateMode } = {},
): Promise<void> {
  // Always the same name, which leaves nothing to clean up after a crash. Who writes holds the lock for it.
  const part = `${path}.part`;
  try {
    const file = await open(part, 'w', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    await syncPath(dirname(path));
  } catch (error) {
    await unlink(part).catch(() => undefined);
    throw diskError(error, `cannot write ${path}`);
  }
}

/** A line is appended by one write, so that lines of several processes do not mix. */
export async function appendLine(path: string, value: unknown): Promise<void> {
  try {
    const file = await open(path, 'a', privateMode);
    try {
      // A line that a crash cut short must not swallow this one: readers skip what is no JSON, such as an empty line.
      await file.write(`\n${JSON.stringify(value)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error, `cannot append to ${path}`);
  }
}

/** Makes a file's content, or a folder's names, outlive a power cut. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
