// The rest of a file, decompressed by one of the system's programs into a scratch file that no folder lists: it is gone
// when it is closed, and when this process is killed. It takes as much room in the folder for temporary files (TMPDIR)
// as the stream has bytes.
//
// A few megabytes may unpack to any size. So only the beginning is unpacked at first, and says how much there can be; the
// kernel ends the program at that size, and before it takes the last of the folder's room.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, statfsSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParsError } from '../../pars-error.js';
import { ImageFile } from '../image-file.js';

/** Errors of compressors stand in their last line. */
const wordsShownCharacters = 500;
const skipSizeBytes = 2 ** 16;
/** What says how much there can be lies within. */
const startSizeBytes = 2 * 2 ** 20;
/** Left free in the folder, for others: this share of it, at most so much. */
const freeShare = 0.05;
const freeAtMostBytes = 4 * 2 ** 30;
/** `ulimit -f` counts in these. */
const limitUnitBytes = 512;
/** What a shell says where there is no such program. */
const missingStatus = 127;
/** For a program that does not go on, and for one that unpacks at the least rate. */
const timeoutMs = 10 * 60_000;
const leastBytesPerMs = 2048;
/** More does not fit Node's timers. */
const longestTimeoutMs = 2 ** 31 - 1;

/**
 * `program` reads from `offset` of the file on. `largestBytes` reads the beginning of what it gives, and says how many bytes
 * that can have at most; what has more is refused.
 */
export function decompress(
  file: ImageFile,
  offset: number,
  command: readonly string[],
  largestBytes: (start: ImageFile) => number,
): ImageFile {
  const start = unpack(file, offset, command, startSizeBytes);
  if (start.isWhole) {
    return start.unpacked;
  }
  let largest: number;
  try {
    largest = largestBytes(start.unpacked);
  } finally {
    start.unpacked.close();
  }
  const room = roomBytes();
  const { isWhole, unpacked } = unpack(file, offset, command, Math.min(largest, room));
  if (isWhole) {
    return unpacked;
  }
  unpacked.close();
  throw largest <= room
    ? new ParsError(
        'image-invalid',
        `${file.path} unpacks to more than ${largest} bytes, the most that it can have by what it says of its RAM; ` +
          'the file is damaged, or made to fill a disk',
      )
    : noRoom(file);
}

/** Up to so many bytes, and a little more. */
function unpack(
  file: ImageFile,
  offset: number,
  [program, ...programArguments]: readonly string[],
  limitBytes: number,
): { readonly isWhole: boolean; readonly unpacked: ImageFile } {
  const limitUnits = Math.max(1, Math.ceil(limitBytes / limitUnitBytes));
  const compressed = openSync(`/proc/self/fd/${file.fd}`, 'r');
  try {
    skipTo(compressed, offset);
    const scratch = openScratch();
    try {
      // The shell bounds what it writes, and becomes it.
      const limited = `ulimit -f ${limitUnits}; exec "$0" "$@"`;
      const { error, status, signal, stderr } = spawnSync(
        '/bin/sh',
        ['-c', limited, program, ...programArguments],
        {
          stdio: [compressed, scratch, 'pipe'],
          encoding: 'utf8',
          timeout: Math.min(longestTimeoutMs, Math.ceil(timeoutMs + limitBytes / leastBytesPerMs)),
          killSignal: 'SIGKILL',
        },
      );
      if (status === missingStatus) {
        throw new ParsError(
          'unsupported',
          `${file.path} is compressed, and reading it needs the program ${program}: spawn ${program} ENOENT; install it`,
        );
      }
      // Some programs catch the signal and end with a status of their own.
      const isWhole = fstatSync(scratch).size < limitUnits * limitUnitBytes || status === 0;
      if (isWhole && status !== 0) {
        const how = error?.message ?? signal ?? `exit status ${String(status)}`;
        throw failed(file, program, how, stderr);
      }
      return {
        isWhole,
        unpacked: ImageFile.open(`/proc/self/fd/${scratch}`, `${file.path} decompressed`),
      };
    } finally {
      closeSync(scratch);
    }
  } finally {
    closeSync(compressed);
  }
}

function roomBytes(): number {
  const { bavail, blocks, bsize } = statfsSync(tmpdir());
  return Math.max(0, bavail * bsize - Math.min(blocks * bsize * freeShare, freeAtMostBytes));
}

/** By reading, since Node does not move a descriptor's position otherwise, and the program starts from there. */
function skipTo(fd: number, offset: number): void {
  const bytes = Buffer.alloc(skipSizeBytes);
  for (let left = offset; left > 0;) {
    const count = readSync(fd, bytes, 0, Math.min(left, skipSizeBytes), null);
    if (count === 0) {
      return;
    }
    left -= count;
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

function failed(file: ImageFile, program: string, how: string, words: string): ParsError {
  const said = words.trim().slice(-wordsShownCharacters);
  return /no space left/i.test(words)
    ? noRoom(file)
    : new ParsError(
        'image-invalid',
        `${file.path} cannot be decompressed, ${program} ended with ${how}: ${said}`,
      );
}

function noRoom({ path }: ImageFile): ParsError {
  return new ParsError(
    'no-space',
    `${tmpdir()} has no room for ${path} decompressed (some is left for others); set TMPDIR to a folder that has`,
  );
}
