// Makes the image of a file system that a guest reads its files from. The content is
// pseudo-random but the same every time, so that a failing test can be run again,
// and no two pages are alike, so that a page put back in the wrong place shows.
// The programs that make a file system copy a folder into it by themselves: no mount,
// no root.

import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDebianRoot } from './debian-root.js';
import { BUSYBOX_PATH } from './initramfs.js';

const MIB = 1 << 20;

/** Room beyond the files: journal, inode tables and what the workload writes. */
const SPARE_ROOM_MIB = 96;
/** What mkfs.xfs takes at the least. */
const XFS_SIZE_MIN_MIB = 300;
const LARGE_FILE_MIB = 8;
const SMALL_FILE_COUNT = 300;

export interface DataDiskOptions {
  /** Bytes of file content; the workload reads all of it into the page cache. */
  readonly contentSizeMib: number;
  readonly spareRoomMib?: number;
  readonly fileSystem?: 'ext4' | 'xfs' | 'btrfs';
  /** The block size of ext4. Blocks smaller than a page give a page several buffers. */
  readonly blockSizeBytes?: 1024 | 2048 | 4096;
  /** A root with programs of Debian, as `debian-root.ts` says. */
  readonly hasPrograms?: boolean;
}

export function makeDataDisk(path: string, options: DataDiskOptions): void {
  const treeFolder = `${path}.tree`;
  try {
    writeTree(treeFolder, options.contentSizeMib);
    if (options.hasPrograms === true) {
      makeDebianRoot(join(treeFolder, 'root'));
    }
    makeFileSystem(path, treeFolder, options);
  } finally {
    rmSync(treeFolder, { recursive: true, force: true });
  }
}

function makeFileSystem(path: string, treeFolder: string, options: DataDiskOptions): void {
  const sizeMib = options.contentSizeMib + (options.spareRoomMib ?? SPARE_ROOM_MIB);
  switch (options.fileSystem ?? 'ext4') {
    case 'ext4':
      runMkfs('mke2fs', [
        ...['-q', '-F', '-t', 'ext4', '-b', String(options.blockSizeBytes ?? 4096)],
        // Otherwise the kernel goes on initialising the image in the background.
        ...['-E', 'lazy_itable_init=0,lazy_journal_init=0', '-d', treeFolder, path, `${sizeMib}M`],
      ]);
      return;
    case 'xfs': {
      const prototype = `${treeFolder}/prototype`;
      writeFileSync(prototype, xfsPrototype(treeFolder));
      writeFileSync(path, '');
      truncateSync(path, Math.max(sizeMib, XFS_SIZE_MIN_MIB) * MIB);
      runMkfs('mkfs.xfs', ['-q', '-f', '-p', prototype, path]);
      return;
    }
    case 'btrfs':
      writeFileSync(path, '');
      truncateSync(path, sizeMib * MIB);
      runMkfs('mkfs.btrfs', ['-q', '-f', '--rootdir', treeFolder, path]);
  }
}

function runMkfs(program: string, programArguments: readonly string[]): void {
  execFileSync(program, programArguments, {
    stdio: 'pipe',
    // Debian keeps them in /sbin, which is not on the path of ordinary users.
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
}

/** The folder in the language of mkfs.xfs -p, which is that of the first Unix: a `$` ends a folder. */
function xfsPrototype(folder: string): string {
  const lines = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true })
      .filter(({ name }) => name !== 'prototype')
      .flatMap((entry) => {
        const inside = join(path, entry.name);
        return entry.isDirectory()
          ? [`${entry.name} d--755 0 0`, ...lines(inside), '$']
          : [`${entry.name} ---755 0 0 ${inside}`];
      });
  return ['/unused', '0 0', 'd--755 0 0', ...lines(folder), '$', ''].join('\n');
}

function writeTree(folder: string, contentSizeMib: number): void {
  const filesFolder = join(folder, 'files');
  mkdirSync(join(filesFolder, 'small'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
  copyFileSync(BUSYBOX_PATH, join(folder, 'bin', 'busybox'));
  writeFileSync(join(filesFolder, 'modified'), dataFileContent('modified', 2 * MIB));
  let leftBytes = contentSizeMib * MIB;
  for (let index = 0; index < SMALL_FILE_COUNT && leftBytes > 0; index++) {
    // Sizes that end at odd places in the last page, as real files do.
    const sizeBytes = Math.min(leftBytes, 100 + ((index * 2039) % 61_440));
    const name = `small/${String(index)}`;
    writeFileSync(join(filesFolder, name), dataFileContent(name, sizeBytes));
    leftBytes -= sizeBytes;
  }
  for (let index = 0; leftBytes > 0; index++) {
    const sizeBytes = Math.min(leftBytes, LARGE_FILE_MIB * MIB);
    const name = `large-${String(index)}`;
    writeFileSync(join(filesFolder, name), dataFileContent(name, sizeBytes));
    leftBytes -= sizeBytes;
  }
}

/**
 * What a file of that name below `files/` holds; all of them but `modified` stay as they were made. A key stream is the
 * quickest reproducible source of incompressible bytes.
 */
export function dataFileContent(seed: string, sizeBytes: number): Buffer {
  const key = Buffer.alloc(32, seed);
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
