// A disk that nobody writes to, as a raw image with its holes. A copy of a disk that changed meanwhile is no copy.
import { stat, unlink } from 'node:fs/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';
import { describeEnd, runProgram } from '../run-program.js';
import { adoptFile, factsOf } from '../take/adopt-file.js';
import type { ChosenDisk } from './disk-choice.js';

/** Enough for the largest disk at a low rate. */
const convertTimeoutMs = 24 * 3_600_000;

/** What any write to a file, and any replacement of it, changes. */
export async function stampOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true }).catch(
    (error: unknown) => {
      throw diskError(error, `cannot look at ${path}`);
    },
  );
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/** `target` does not exist. Throws `image-invalid` when the disk changed; there is no target then. */
export async function copyDisk(
  { sourcePath, format }: Pick<ChosenDisk, 'sourcePath' | 'format'>,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const before = await stampOf(sourcePath);
  try {
    if (format === 'raw') {
      await adoptFile(sourcePath, target, {
        link: false,
        facts: await factsOf(sourcePath),
        signal,
      });
    } else {
      await convert(sourcePath, format, target, signal);
    }
    if ((await stampOf(sourcePath)) !== before) {
      throw new ParsError('image-invalid', `${sourcePath} changed while it was copied`);
    }
  } catch (error) {
    await unlink(target).catch(() => undefined);
    throw error;
  }
}

async function convert(
  sourcePath: string,
  format: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const end = await runProgram({
    // `-U`: a running VM reads it too.
    command: ['qemu-img', 'convert', '-U', '-f', format, '-O', 'raw', '--', sourcePath, target],
    timeoutMs: convertTimeoutMs,
    signal,
    environment: { LC_ALL: 'C' },
  }).catch((error: unknown) => {
    throw diskError(error, 'cannot start qemu-img (package qemu-utils)');
  });
  if (signal.aborted) {
    throw new ParsError('cancelled', `stopped while converting ${sourcePath}`);
  }
  if (end.exitCode !== 0) {
    throw new ParsError(
      end.stderr.includes('No space left') ? 'no-space' : 'unavailable',
      `cannot make ${sourcePath} a raw image with qemu-img (package qemu-utils): ${describeEnd(end)}`,
    );
  }
}
