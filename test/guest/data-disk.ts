// Makes the ext4 image that a guest reads its files from. The content is
// pseudo-random but the same every time, so that a failing test can be run again,
// and no two pages are alike, so that a page put back in the wrong place shows.
// mke2fs copies a folder into the image by itself: no mount, no root.

import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUSYBOX_PATH } from './initramfs.js';

const MIB = 1 << 20;

/** Room beyond the files: journal, inode tables and what the workload writes. */
const SPARE_ROOM_MIB = 96;
const LARGE_FILE_MIB = 8;
const SMALL_FILE_COUNT = 300;

export interface DataDiskOptions {
  /** Bytes of file content; the workload reads all of it into the page cache. */
  readonly contentSizeMib: number;
  /** Blocks smaller than a page give a page several buffers. */
  readonly blockSizeBytes?: 1024 | 2048 | 4096;
}

export function makeDataDisk(path: string, options: DataDiskOptions): void {
  const treeFolder = `${path}.tree`;
  try {
    writeTree(treeFolder, options.contentSizeMib);
    execFileSync(
      'mke2fs',
      [
        ...['-q', '-F', '-t', 'ext4', '-b', String(options.blockSizeBytes ?? 4096)],
        // Otherwise the kernel goes on initialising the image in the background.
        ...['-E', 'lazy_itable_init=0,lazy_journal_init=0', '-d', treeFolder, path],
        `${options.contentSizeMib + SPARE_ROOM_MIB}M`,
      ],
      // Debian keeps it in /sbin, which is not on the path of ordinary users.
      { env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } },
    );
  } finally {
    rmSync(treeFolder, { recursive: true, force: true });
  }
}

function writeTree(folder: string, contentSizeMib: number): void {
  const filesFolder = join(folder, 'files');
  mkdirSync(join(filesFolder, 'small'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
  copyFileSync(BUSYBOX_PATH, join(folder, 'bin', 'busybox'));
  writeFileSync(join(filesFolder, 'modified'), pseudoRandomBytes('modified', 2 * MIB));
  let leftBytes = contentSizeMib * MIB;
  for (let index = 0; index < SMALL_FILE_COUNT && leftBytes > 0; index++) {
    // Sizes that end at odd places in the last page, as real files do.
    const sizeBytes = Math.min(leftBytes, 100 + ((index * 2039) % 61_440));
    const name = `small/${String(index)}`;
    writeFileSync(join(filesFolder, name), pseudoRandomBytes(name, sizeBytes));
    leftBytes -= sizeBytes;
  }
  for (let index = 0; leftBytes > 0; index++) {
    const sizeBytes = Math.min(leftBytes, LARGE_FILE_MIB * MIB);
    const name = `large-${String(index)}`;
    writeFileSync(join(filesFolder, name), pseudoRandomBytes(name, sizeBytes));
    leftBytes -= sizeBytes;
  }
}

/** A key stream is the quickest reproducible source of incompressible bytes. */
function pseudoRandomBytes(seed: string, sizeBytes: number): Buffer {
  const key = Buffer.alloc(32, seed);
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
