// Copies a large file without its holes, sharing blocks where the file system can: cp(1) knows how.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ParsError } from '../../../../introspect/pars-error.js';

/** Throws `no-space`, `unavailable`, or the signal's reason. */
export async function copySparse(
  source: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const words = ['--reflink=auto', '--sparse=always', '--', source, target];
  await promisify(execFile)('cp', words, { signal, env: { ...process.env, LC_ALL: 'C' } }).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      throw new ParsError(
        reason.includes('No space left') ? 'no-space' : 'unavailable',
        `cannot copy ${source} to ${target}: ${reason}`,
        { cause: error },
      );
    },
  );
}
