// A file of somebody else's comes into the spool: as a second name where its owner will not write into it again, else as
// a copy, by cp(1), which shares blocks where the file system can, keeps holes, and runs with low priority.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { link, lstat, realpath, stat, unlink } from 'node:fs/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';
import { openGivenFile } from '../../host/given-file.js';
import { describeEnd, runProgram } from '../run-program.js';

/** What tells a file, with its content, from every other. */
export interface FileFacts {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  /** The file's owner. */
  readonly uid: bigint;
}

export interface Adoption {
  readonly link: boolean;
  /** The file as it was offered: throws when it is another one by now. */
  readonly facts: FileFacts;
  /** True where the file lies in a folder that others may write to: no link that they made is followed. */
  readonly isForeign?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** Enough for the largest disk at a low rate. */
const copyTimeoutMs = 24 * 3_600_000;
/** By this path a program reaches the first descriptor that it is given to hold (run-program.ts). */
const heldPath = '/proc/self/fd/3';
const foreignUse = {
  what: 'the file',
  remedy: 'put the file itself into the folder',
};

export async function factsOf(path: string): Promise<FileFacts> {
  const { dev, ino, size, mtimeNs, uid } = await stat(path, { bigint: true }).catch(
    (error: unknown) => {
      throw diskError(error, `cannot look at ${path}`);
    },
  );
  return { dev, ino, size, mtimeNs, uid };
}

export const factsText = ({ dev, ino, size, mtimeNs }: FileFacts): string =>
  [dev, ino, size, mtimeNs].join(':');

/**
 * `target` does not exist. Throws `image-invalid` when the file changed meanwhile, `permission-denied` for a link in a
 * foreign folder and when the file is another user's by now.
 */
export async function adoptFile(source: string, target: string, adoption: Adoption): Promise<void> {
  // One file from here on, whatever takes its name.
  const fd = adoption.isForeign === true ? openGivenFile(source, foreignUse) : openPlain(source);
  try {
    expectUnchanged(source, bigFactsOf(fd), adoption);
    if (!adoption.link || !(await tryLink(source, fd, target, adoption))) {
      await copy(source, fd, target, adoption.signal);
    }
    expectUnchanged(source, bigFactsOf(fd), adoption);
    // By now the name may lead to another file.
    expectUnchanged(source, await factsOf(source), adoption);
  } finally {
    closeSync(fd);
  }
}

function openPlain(source: string): number {
  try {
    // Opening a pipe would otherwise wait for its writer.
    return openSync(source, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw diskError(error, `cannot open ${source}`);
  }
}

function bigFactsOf(fd: number): FileFacts {
  const { dev, ino, size, mtimeNs, uid } = fstatSync(fd, { bigint: true });
  return { dev, ino, size, mtimeNs, uid };
}

function expectUnchanged(
  source: string,
  found: FileFacts,
  { facts: expected, isForeign }: Adoption,
): void {
  // libvirt gives its own files to other users while their content stays.
  if (isForeign === true && found.uid !== expected.uid) {
    throw new ParsError(
      'permission-denied',
      `${source} belongs to the user ${found.uid}, and to ${expected.uid} when it was looked at; offer it when nobody changes it any more`,
    );
  }
  if (factsText(found) !== factsText(expected)) {
    throw new ParsError(
      'image-invalid',
      `${source} changed while it was taken into the spool: expected device, inode, size and time of change ` +
        `${factsText(expected)}, found ${factsText(found)}; offer it when nobody writes to it any more`,
    );
  }
}

/** False where a copy has to do: another file system, or a file that this user may not link to. */
async function tryLink(
  source: string,
  fd: number,
  target: string,
  { isForeign }: Adoption,
): Promise<boolean> {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  if (!fstatSync(fd).isFile()) {
    // A block device gives its bytes to a copy; a link would be the device itself.
    return false;
  }
  try {
    // The name of a symbolic link would be linked, not the file.
    await link(isForeign === true ? source : await realpath(source), target);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EXDEV' || code === 'EPERM' || code === 'EMLINK' || code === 'EOPNOTSUPP') {
      return false;
    }
    throw diskError(error, `cannot link ${source} to ${target}`);
  }
  const linked = await lstat(target, { bigint: true });
  if (linked.dev !== dev || linked.ino !== ino) {
    await unlink(target);
    throw new ParsError(
      'image-invalid',
      `${source} was replaced while it was taken into the spool; offer it when nobody changes it any more`,
    );
  }
  return true;
}

async function copy(
  source: string,
  fd: number,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const command = ['cp', '--reflink=auto', '--sparse=always', '--', heldPath, target];
  const end = await runProgram({
    command,
    timeoutMs: copyTimeoutMs,
    signal,
    environment: { LC_ALL: 'C' },
    held: [fd],
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
