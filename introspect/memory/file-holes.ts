// Where a sparse file holds data: lseek's SEEK_DATA and SEEK_HOLE, which Node does not offer, called through koffi.
//
// koffi is an optional package. Without it, and on file systems that do not tell, all of a file counts as data: that
// costs time and nothing else.
import { fstatSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface DataRun {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** SEEK_DATA and SEEK_HOLE of <unistd.h> on Linux, and ENXIO, which they end with behind the last data. */
const seekData = 3;
const seekHole = 4;
const noSuchAddress = 6;
const statBlockBytes = 512;

interface Seek {
  /** A file offset, or -1. */
  readonly seek: (fd: number, offset: number, whence: number) => number;
  readonly errno: () => number;
}

/** What of koffi is used; its own types come with the package, which need not be there. */
interface Koffi {
  load(path: null): {
    func(prototype: string): (fd: number, offset: number, whence: number) => number | bigint;
  };
  errno(): number;
}

let loaded: Seek | 'missing' | undefined;

function loadSeek(): Seek | 'missing' {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const lseek = koffi.load(null).func('int64_t lseek(int fd, int64_t offset, int whence)');
    return {
      seek: (fd, offset, whence) => Number(lseek(fd, offset, whence)),
      errno: () => koffi.errno(),
    };
  } catch {
    return 'missing';
  }
}

/** Whether the file takes less room than it is long, so that looking for holes is worth it. */
export function isSparse(fd: number): boolean {
  const { size, blocks } = fstatSync(fd);
  return blocks * statBlockBytes < size;
}

/**
 * The first data at or after `offset` and before `endOffset`; undefined when only holes are left. Moves the position of
 * the descriptor, so the file must be read by offset only.
 */
export function dataRunAt(fd: number, offset: number, endOffset: number): DataRun | undefined {
  const all = { startOffset: offset, endOffset };
  if (offset >= endOffset) {
    return undefined;
  }
  loaded ??= loadSeek();
  if (loaded === 'missing') {
    return all;
  }
  const startOffset = loaded.seek(fd, offset, seekData);
  if (startOffset < 0) {
    return loaded.errno() === noSuchAddress ? undefined : all;
  }
  if (startOffset >= endOffset) {
    return undefined;
  }
  const hole = loaded.seek(fd, startOffset, seekHole);
  return { startOffset, endOffset: hole < 0 ? endOffset : Math.min(hole, endOffset) };
}
