// The bytes of a VM's disk, from a raw image: a file, or a block device of this host.
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { readFully } from '../../introspect/memory/read-fully.js';
import { ParsError } from '../../introspect/pars-error.js';
import { diskHeadBytes, refuseKnownFormats } from './refused-formats.js';

const sectorBytes = 512;

export class DiskImage {
  readonly path: string;
  readonly fd: number;
  readonly sizeBytes: number;
  readonly isBlockDevice: boolean;

  private constructor(path: string, fd: number, stat: Stats) {
    this.path = path;
    this.fd = fd;
    this.isBlockDevice = stat.isBlockDevice();
    this.sizeBytes = this.isBlockDevice ? sizeOfDevice(stat.rdev, path) : stat.size;
  }

  /**
   * Throws `image-invalid` when there is no such disk or nothing in it, `unsupported` when it is an image of another
   * format than raw.
   */
  static open(path: string): DiskImage {
    let fd: number;
    try {
      // Opening a pipe would otherwise wait for its writer.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ParsError('image-invalid', `cannot open the disk ${path}: ${reason}`, {
        cause: error,
      });
    }
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() && !stat.isBlockDevice()) {
        throw notADisk(path, 'expected a regular file or a block device');
      }
      const image = new DiskImage(path, fd, stat);
      if (image.sizeBytes < sectorBytes) {
        throw notADisk(path, `expected at least one sector, found ${image.sizeBytes} bytes`);
      }
      const head = Buffer.alloc(Math.min(diskHeadBytes, image.sizeBytes));
      readFully(fd, 0, head, path);
      refuseKnownFormats(head, path);
      return image;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Fills `target` from `offsetBytes`; false, with `target` unspecified, where the disk ends before or cannot be read. */
  read(offsetBytes: number, target: Uint8Array): boolean {
    if (offsetBytes < 0 || offsetBytes + target.length > this.sizeBytes) {
      return false;
    }
    try {
      readFully(this.fd, offsetBytes, target, this.path);
      return true;
    } catch (error) {
      if (error instanceof ParsError) {
        return false;
      }
      throw error;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

function notADisk(path: string, problem: string): ParsError {
  return new ParsError('image-invalid', `${path} is no disk: ${problem}`);
}

/** stat(2) gives a block device no size; sysfs says it in sectors. The device's number is as in makedev(3). */
function sizeOfDevice(device: number, path: string): number {
  const number = BigInt(device);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xffff_f000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffff_ff00n);
  const source = `/sys/dev/block/${major}:${minor}/size`;
  try {
    return Number(readFileSync(source, 'utf8')) * sectorBytes;
  } catch (error) {
    throw new ParsError('image-invalid', `cannot tell the size of ${path}: no ${source}`, {
      cause: error,
    });
  }
}
