// Whether something is there: by an error of Node, and by its name.
import { lstat } from 'node:fs/promises';

/** Whether an error of Node says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * Whether anything has this name, even a link that leads nowhere. What it takes of the disk does not tell: on some file systems
 * small folders take nothing.
 */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) {
      return false;
    }
    throw error;
  }
}
