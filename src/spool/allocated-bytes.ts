// What files take of the disk, which for sparse ones is less than their length.
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbsent } from './is-absent.js';

const statBlockBytes = 512;

/** The bytes that a file takes on its disk, or a folder with all that is in it. 0 when it is not there (any more). */
export async function allocatedBytes(path: string): Promise<number> {
  try {
    const stat = await lstat(path);
    const ownBytes = stat.blocks * statBlockBytes;
    if (!stat.isDirectory()) {
      return ownBytes;
    }
    let sumBytes = ownBytes;
    for (const name of await readdir(path)) {
      sumBytes += await allocatedBytes(join(path, name));
    }
    return sumBytes;
  } catch (error) {
    if (isAbsent(error)) {
      return 0;
    }
    throw error;
  }
}
