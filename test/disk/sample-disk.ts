// Disk images that the real programs make from a folder, with files of every shape that a file's blocks can have, and the
// guest's view of them: its pages as a RAM image, in any order, and what its memory says of where they belong.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FilePlaces, Volume } from '../../introspect/heal/file-places.js';
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';
import { Ram } from '../introspect/ram.js';

export const pageBytes = 4096;
const mib = 2 ** 20;

/** The parts of a file: bytes, or a hole of so many. */
export type FileParts = readonly (Buffer | number)[];

export class SampleDisk {
  readonly folder = mkdtempSync(join(tmpdir(), 'pars-disk-'));
  readonly path = join(this.folder, 'disk.img');
  readonly #tree = join(this.folder, 'tree');

  constructor(files: Readonly<Record<string, FileParts>>) {
    mkdirSync(this.#tree);
    for (const [name, parts] of Object.entries(files)) {
      const fd = openSync(join(this.#tree, name), 'w');
      let at = 0;
      for (const part of parts) {
        if (typeof part !== 'number') {
          writeSync(fd, part, 0, part.length, at);
        }
        at += typeof part === 'number' ? part : part.length;
      }
      ftruncateSync(fd, at);
      closeSync(fd);
    }
  }

  makeExt(
    fileSystem: 'ext2' | 'ext3' | 'ext4',
    blockSizeBytes: number,
    sizeMib = 32,
    options: readonly string[] = [],
  ): void {
    rmSync(this.path, { force: true });
    runTool('mke2fs', [
      ...['-q', '-F', '-t', fileSystem, '-b', String(blockSizeBytes), ...options],
      ...['-d', this.#tree, this.path, `${sizeMib}M`],
    ]);
  }

  makeXfs(names: readonly string[]): void {
    const prototype = join(this.folder, 'prototype');
    const files = names.map((name) => `${name} ---755 0 0 ${join(this.#tree, name)}`);
    writeFileSync(prototype, ['/unused', '0 0', 'd--755 0 0', ...files, '$', ''].join('\n'));
    writeFileSync(this.path, '');
    truncateSync(this.path, 300 * mib);
    runTool('mkfs.xfs', ['-q', '-f', '-p', prototype, this.path]);
  }

  /** Path of a file that is not to be on the disk from the start. */
  takeOut(name: string): string {
    const path = join(this.folder, name);
    renameSync(join(this.#tree, name), path);
    return path;
  }

  /** Commands that change an ext file system without a mount. */
  debugfs(commands: readonly string[]): string {
    return runTool('debugfs', ['-w', '-f', '-', this.path], `${commands.join('\n')}\n`);
  }

  /** Moves the file system behind `startBytes` bytes of another partition. */
  moveTo(startBytes: number): void {
    const content = readFileSync(this.path);
    writeFileSync(this.path, Buffer.concat([randomBytes(startBytes), content]));
  }

  inodeOf(name: string): number {
    const listing = runTool('debugfs', ['-R', `stat /${name}`, this.path]);
    return Number(/Inode: (\d+)/.exec(listing)?.[1]);
  }

  /** As the guest reads the file: whole pages, with zeroes behind its end. */
  pagesOf(name: string): readonly Buffer[] {
    return wholePages(readFileSync(join(this.#tree, name)));
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    writeAt(this.path, offsetBytes, bytes);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export function writeAt(path: string, offsetBytes: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, offsetBytes);
  closeSync(fd);
}

export function wholePages(content: Buffer): readonly Buffer[] {
  const pages: Buffer[] = [];
  for (let at = 0; at < content.length; at += pageBytes) {
    const page = Buffer.alloc(pageBytes);
    content.copy(page, 0, at, at + pageBytes);
    pages.push(page);
  }
  return pages;
}

function runTool(program: string, programArguments: readonly string[], input = ''): string {
  return execFileSync(program, programArguments, {
    input,
    encoding: 'utf8',
    stdio: 'pipe',
    env: {
      ...process.env,
      PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      DEBUGFS_PAGER: '__none__',
    },
  });
}

/** What a guest holds of its files: a page of RAM each. */
export interface CachedPage {
  readonly bytes: Buffer;
  /** Row of the file. */
  readonly file: number;
  readonly pageInFile: number;
  readonly label?: PageLabel;
  readonly bufferOffsetBytes?: number;
}

export function guestWith(
  pages: readonly CachedPage[],
  files: readonly { readonly inode: number; readonly volume: number }[],
  volumes: readonly Volume[],
): { readonly memory: Ram; readonly places: FilePlaces } {
  const memory = new Ram(Math.max(1, pages.length) * pageBytes);
  pages.forEach(({ bytes }, index) => bytes.copy(memory.bytes, index * pageBytes));
  return {
    memory,
    places: {
      page: Uint32Array.from(pages.keys()),
      label: Uint8Array.from(pages, ({ label }) => labelNumbers[label ?? 'file-clean']),
      file: Uint32Array.from(pages, ({ file }) => file),
      pageInFile: Uint32Array.from(pages, ({ pageInFile }) => pageInFile),
      bufferOffsetBytes: Float64Array.from(
        pages,
        ({ bufferOffsetBytes }) => bufferOffsetBytes ?? -1,
      ),
      fileInode: Float64Array.from(files, ({ inode }) => inode),
      fileVolume: Uint32Array.from(files, ({ volume }) => volume),
      volumes,
    },
  };
}

/** Random, and the same at every run. */
export function shuffled<T>(items: readonly T[]): readonly T[] {
  let state = 12345;
  const keyed = items.map((item) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return { item, key: state };
  });
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
