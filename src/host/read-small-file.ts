// Text files that are small by their nature: one that is not is refused before memory is taken for it.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ParsError } from '../../introspect/pars-error.js';

/** Throws `image-invalid` for a longer file, or none that is regular, and Node's errors. */
export async function readSmallFile(path: string, maxBytes: number): Promise<string> {
  // Opening a pipe would otherwise wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > maxBytes) {
      throw new ParsError(
        'image-invalid',
        `${path}: expected a file of at most ${maxBytes} bytes, found ` +
          (stat.isFile() ? `${stat.size}` : 'no regular file'),
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
