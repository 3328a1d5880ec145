// The rest of a file, decompressed by one of the system's programs into a scratch file that no folder lists: it is gone
// when it is closed, and when this process is killed. It takes as much room in the folder for temporary files (TMPDIR)
// as the stream has bytes.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParsError } from '../pars-error.js';
import { ImageFile } from './image-file.js';

/** Errors of compressors stand in their last line. */
const wordsShownCharacters = 500;
const skipSizeBytes = 2 ** 16;

/** `program` reads from `offset` of the file on. */
export function decompress(
  file: ImageFile,
  offset: number,
  [program, ...programArguments]: readonly string[],
): ImageFile {
  const compressed = openSync(`/proc/self/fd/${file.fd}`, 'r');
  try {
    skipTo(compressed, offset);
    const scratch = openScratch();
    try {
      const { error, status, signal, stderr } = spawnSync(program, programArguments, {
        stdio: [compressed, scratch, 'pipe'],
        encoding: 'utf8',
      });
      if (error !== undefined) {
        throw new ParsError(
          'unsupported',
          `${file.path} is compressed, and reading it needs the program ${program}: ${error.message}; install it`,
          { cause: error },
        );
      }
      if (status !== 0) {
        throw failed(file, program, signal ?? `exit status ${String(status)}`, stderr);
      }
      return ImageFile.open(`/proc/self/fd/${scratch}`, `${file.path} decompressed`);
    } finally {
      closeSync(scratch);
    }
  } finally {
    closeSync(compressed);
  }
}

/** By reading, since Node does not move a descriptor's position otherwise, and the program starts from there. */
function skipTo(fd: number, offset: number): void {
  const bytes = Buffer.alloc(skipSizeBytes);
  for (let left = offset; left > 0;) {
    left -= readSync(fd, bytes, 0, Math.min(left, skipSizeBytes), null);
  }
}

function openScratch(): number {
  const path = join(tmpdir(), `pars-stream-${randomUUID()}`);
  try {
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return fd;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ParsError('permission-denied', `cannot make the scratch file ${path}: ${reason}`, {
      cause: error,
    });
  }
}

function failed({ path }: ImageFile, program: string, how: string, words: string): ParsError {
  const said = words.trim().slice(-wordsShownCharacters);
  return /no space left/i.test(words)
    ? new ParsError(
        'no-space',
        `${tmpdir()} has no room for ${path} decompressed; set TMPDIR to a folder that has`,
      )
    : new ParsError(
        'image-invalid',
        `${path} cannot be decompressed, ${program} ended with ${how}: ${said}`,
      );
}
