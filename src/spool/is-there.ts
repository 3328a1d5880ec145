// Whether something stands under a name, whatever it is.
import { lstat } from 'node:fs/promises';
import { isAbsent } from './is-absent.js';

/** Also true of a link that leads nowhere. How much it takes of the disk does not tell: some file systems need nothing for a small folder. */
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
