// An open file that guest RAM is read from by offset.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { ParsError } from '../pars-error.js';
import { type DataRun, dataRunAt, isSparse } from './file-holes.js';
import type { ImageFormat, MemoryImage } from './memory-image.js';
import type { PhysicalMemory } from './physical-memory.js';
import { readFully } from './read-fully.js';

export class ImageFile {
  readonly path: string;
  readonly fd: number;
  readonly sizeBytes: number;
  readonly #sparse: boolean;

  private constructor(path: string, fd: number, sizeBytes: number) {
    this.path = path;
    this.fd = fd;
    this.sizeBytes = sizeBytes;
    this.#sparse = isSparse(fd);
  }

  /** `name` is for messages. Throws `image-invalid` when there is no such file or nothing in it. */
  static open(path: string, name = path): ImageFile {
    let fd: number;
    try {
      // Opening a pipe would otherwise wait for its writer.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ParsError('image-invalid', `cannot open the image ${name}: ${reason}`, {
        cause: error,
      });
    }
    const stat = fstatSync(fd);
    if (stat.isFile() && stat.size > 0) {
      return new ImageFile(name, fd, stat.size);
    }
    closeSync(fd);
    const problem = stat.isFile() ? 'the file is empty' : 'expected a regular file';
    throw new ParsError('image-invalid', `${name} is no image of guest RAM: ${problem}`);
  }

  /** What `use` makes of the open file, which it takes over; the file is closed again if that fails. */
  static openAs<T>(path: string, use: (file: ImageFile) => T): T {
    const file = ImageFile.open(path);
    try {
      return use(file);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Throws `image-invalid` past the end. */
  read(offset: number, target: Uint8Array): void {
    readFully(this.fd, offset, target, this.path);
  }

  /** The first data at or after `offset` and before `endOffset`; undefined when only holes are left. */
  dataRunAt(offset: number, endOffset: number): DataRun | undefined {
    if (this.#sparse) {
      return dataRunAt(this.fd, offset, endOffset);
    }
    return offset < endOffset ? { startOffset: offset, endOffset } : undefined;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** The image whose views read this file. */
export function imageOfFile(
  format: ImageFormat,
  file: ImageFile,
  views: readonly PhysicalMemory[],
): MemoryImage {
  return {
    format,
    views,
    close: () => {
      file.close();
    },
  };
}
