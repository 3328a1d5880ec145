// A disk that a snapshot takes in: its raw image opened and looked at before anything is written, then read like RAM.
import { fstatSync } from 'node:fs';
import { dataRunAt } from '../../introspect/memory/file-holes.js';
import { pageSizeBytes, type PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { readFully } from '../../introspect/memory/read-fully.js';
import { ParsError } from '../../introspect/pars-error.js';
import { DiskImage } from '../disk/disk-image.js';
import { maxPageCount } from '../manifest/layout.js';
import {
  diskFormatPattern,
  diskNamePattern,
  maxSourcePathLength,
} from '../manifest/space/disk-record.js';
import { planDisk } from '../plan/disk-plan.js';
import type { PageRedundancy } from '../plan/policy.js';
import type { ReplicationPlan } from '../plan/replication-plan.js';

export interface DiskToStore {
  /** The VM's name for it, such as vda: A-Z a-z 0-9 . _ - and no leading dot. */
  readonly name: string;
  /** A raw image, or a block device, of the same moment as the memory. It must not change while it is read. */
  readonly path: string;
  /** Where the VM has the disk. */
  readonly sourcePath: string;
  /** The format of the VM's image: raw, qcow2 and so on. */
  readonly sourceFormat: string;
  /** True where the VM's own image is encrypted: what is stored is not. */
  readonly wasEncrypted?: true | undefined;
}

/** Frames name their space in a byte, and RAM is one. */
const maxDiskCount = 255;

/** Opened; `close` ends it. */
export class OpenedDisk {
  readonly disk: DiskToStore;
  readonly sizeBytes: number;
  /** Whole pages, as a pack's content wants them: the last is filled up with zeroes. */
  readonly pages: Pick<PhysicalMemory, 'fd' | 'readImage'>;
  readonly #image: DiskImage;
  readonly #before: string;

  /** Throws what `DiskImage.open` does, and `unsupported` when the disk is too large. */
  constructor(disk: DiskToStore) {
    this.disk = disk;
    this.#image = DiskImage.open(disk.path);
    this.sizeBytes = this.#image.sizeBytes;
    this.#before = writtenState(this.#image);
    const readImage = (offset: number, target: Uint8Array): void => {
      const available = Math.min(target.length, this.sizeBytes - offset);
      readFully(this.#image.fd, offset, target.subarray(0, available), disk.path);
      target.fill(0, available);
    };
    // Threads read whole pages for themselves; a disk that ends within a page is rare enough to be read here.
    this.pages =
      this.sizeBytes % pageSizeBytes === 0 ? { fd: this.#image.fd, readImage } : { readImage };
    if (this.sizeBytes > maxPageCount * pageSizeBytes) {
      this.close();
      throw new ParsError(
        'unsupported',
        `the disk ${disk.name} (${disk.path}) has ${this.sizeBytes} bytes, a snapshot holds disks of at most ` +
          `${maxPageCount * pageSizeBytes}; store the snapshot without its disks, and keep them elsewhere`,
      );
    }
  }

  /** Holes of the image are in no run that is stored. */
  plan(redundancy: PageRedundancy): ReplicationPlan {
    return planDisk(this.sizeBytes, redundancy, (offset) =>
      dataRunAt(this.#image.fd, offset, this.sizeBytes),
    );
  }

  /** Throws `image-invalid` when the image was written to since it was opened. Of a block device nothing tells. */
  expectUnchanged(): void {
    if (writtenState(this.#image) !== this.#before) {
      throw new ParsError(
        'image-invalid',
        `the disk ${this.disk.name} (${this.disk.path}) was written to while it was stored, so it is of no one moment: ` +
          'stop the VM, or give an image that nobody writes to',
      );
    }
  }

  close(): void {
    this.#image.close();
  }
}

/** Throws `usage` for names that do not fit a snapshot, and as `OpenedDisk`; nothing stays open then. */
export function openDisksToStore(disks: readonly DiskToStore[]): readonly OpenedDisk[] {
  expectNames(disks);
  const opened: OpenedDisk[] = [];
  try {
    for (const disk of disks) {
      opened.push(new OpenedDisk(disk));
    }
    return opened;
  } catch (error) {
    closeDisksToStore(opened);
    throw error;
  }
}

export function closeDisksToStore(disks: readonly OpenedDisk[]): void {
  for (const disk of disks) {
    disk.close();
  }
}

function expectNames(disks: readonly DiskToStore[]): void {
  if (disks.length > maxDiskCount) {
    throw new ParsError('usage', `expected at most ${maxDiskCount} disks, found ${disks.length}`);
  }
  const seen = new Set<string>();
  for (const { name, path, sourcePath, sourceFormat } of disks) {
    if (!diskNamePattern.test(name)) {
      throw new ParsError(
        'usage',
        `${JSON.stringify(name)} cannot name the disk ${path}: expected up to 64 of A-Z a-z 0-9 . _ - and no leading dot`,
      );
    }
    if (!diskFormatPattern.test(sourceFormat)) {
      throw new ParsError(
        'usage',
        `${JSON.stringify(sourceFormat)} is no format of the disk ${name}: expected raw, qcow2 or another of QEMU's`,
      );
    }
    if (sourcePath.length > maxSourcePathLength) {
      throw new ParsError(
        'usage',
        `the path of the disk ${name} has ${sourcePath.length} characters, expected at most ${maxSourcePathLength}`,
      );
    }
    if (seen.has(name)) {
      throw new ParsError('usage', `two disks are named ${name}, the second is ${path}`);
    }
    seen.add(name);
  }
}

function writtenState({ fd }: DiskImage): string {
  const { mtimeNs, size } = fstatSync(fd, { bigint: true });
  return `${mtimeNs} ${size}`;
}
