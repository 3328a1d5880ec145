// A file of somebody else's comes into the spool: as a second name where its owner will not write into it again, else as
// a copy, by cp(1), which shares blocks where the file system can, keeps holes, and runs with low priority.
import { link, lstat, realpath, stat } from 'node:fs/promises';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from '../flow/disk-error.js';
import { describeEnd, runProgram } from './run-program.js';

/** What tells a file, with its content, from every other. */
export interface FileFacts {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

export interface Adoption {
  readonly link: boolean;
  /** The file as it was offered: throws when it is another one by now. */
  readonly facts: FileFacts;
  readonly signal: AbortSignal;
}

/** Of the largest disks, over a slow one. */
const copyTimeoutMs = 24 * 3_600_000;

export async function factsOf(path: string): Promise<FileFacts> {
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw diskError(error, `cannot look at ${path}`);
  });
  return { dev, ino, size, mtimeNs };
}

export const factsText = ({ dev, ino, size, mtimeNs }: FileFacts): string =>
  [dev, ino, size, mtimeNs].join(':');

/** `target` does not exist. Throws `image-invalid` when the file changed meanwhile. */
export async function adoptFile(source: string, target: string, adoption: Adoption): Promise<void> {
  if (!adoption.link || !(await tryLink(source, target))) {
    await copy(source, target, adoption.signal);
  }
  // Also of a link: by now the name may lead to another file.
  const found = factsText(await factsOf(source));
  const expected = factsText(adoption.facts);
  if (found !== expected) {
    throw new ParsError(
      'image-invalid',
      `${source} changed while it was taken into the spool: expected device, inode, size and time of change ${expected}, ` +
        `found ${found}; offer it when nobody writes to it any more`,
    );
  }
}

/** False where a copy has to do: another file system, or a file that this user may not link to. */
async function tryLink(source: string, target: string): Promise<boolean> {
  try {
    // The name of a symbolic link would be linked, not the file.
    const path = await realpath(source);
    if (!(await lstat(path)).isFile()) {
      // A block device gives its bytes to a copy; a link would be the device itself.
      return false;
    }
    await link(path, target);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EXDEV' || code === 'EPERM' || code === 'EMLINK' || code === 'EOPNOTSUPP') {
      return false;
    }
    throw diskError(error, `cannot link ${source} to ${target}`);
  }
}

async function copy(source: string, target: string, signal: AbortSignal): Promise<void> {
  const command = ['cp', '--reflink=auto', '--sparse=always', '--', source, target];
  const end = await runProgram({
    command,
    timeoutMs: copyTimeoutMs,
    signal,
    environment: { LC_ALL: 'C' },
  }).catch((error: unknown) => {
    throw diskError(error, 'cannot start cp');
  });
  if (signal.aborted) {
    throw new ParsError('cancelled', `stopped while copying ${source} into the spool`);
  }
  if (end.exitCode !== 0) {
    throw new ParsError(
      end.stderr.includes('No space left') ? 'no-space' : 'unavailable',
      `cannot copy ${source} to ${target}: ${describeEnd(end)}`,
    );
  }
}
