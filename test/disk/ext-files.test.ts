// Places by debugfs, on images that mke2fs makes; and what is made of output that is not as expected.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import * as fc from 'fast-check';
import { DiskImage } from '../../src/disk/disk-image.js';
import { findExtFiles, StatReader } from '../../src/disk/ext-files.js';
import type { Extents } from '../../src/disk/extents.js';
import { pageBytes, SampleDisk, wholePages } from './sample-disk.js';

const files = {
  large: [randomBytes(3_000_000)],
  small: [randomBytes(100)],
  holes: [randomBytes(4096), 4 * 4096, randomBytes(8192), 13 * 4096, randomBytes(5000), 8 * 4096],
  nothing: [],
};
let disk: SampleDisk;

beforeAll(() => {
  disk = new SampleDisk(files);
});
afterAll(() => {
  disk.remove();
});

async function filesOn(
  on: SampleDisk,
  inodes: readonly number[],
  blockSizeBytes: number,
  startBytes = 0,
): Promise<{ found: ReadonlyMap<number, Extents>; problem: string | undefined }> {
  const image = DiskImage.open(on.path);
  const found = new Map<number, Extents>();
  const problem = await findExtFiles({
    image,
    startBytes,
    blockSizeBytes,
    inodes,
    onFile: (inode, extents) => found.set(inode, extents),
  });
  image.close();
  return { found, problem };
}

/** Which of the file's pages were found, and which were found where the disk holds other bytes. */
function compare(
  on: SampleDisk,
  pages: readonly Buffer[],
  extents: Extents | undefined,
  startBytes = 0,
) {
  const image = DiskImage.open(on.path);
  const bytes = Buffer.alloc(pageBytes);
  const found: number[] = [];
  const wrong: number[] = [];
  pages.forEach((page, index) => {
    const at = extents?.find(index * pageBytes, pageBytes);
    if (at !== undefined) {
      found.push(index);
      if (!image.read(startBytes + at, bytes) || !bytes.equals(page)) {
        wrong.push(index);
      }
    }
  });
  image.close();
  return { found, wrong };
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

const wholeHoles = [0, 5, 6, 20, 21];

describe.each(['ext2', 'ext3', 'ext4'] as const)('%s', (fileSystem) => {
  test('with blocks of a page has a place for every page but those in holes', async () => {
    disk.makeExt(fileSystem, 4096);
    const names = ['large', 'small', 'holes', 'nothing'];
    const inodes = names.map((name) => disk.inodeOf(name));
    const { found, problem } = await filesOn(disk, inodes, 4096);
    expect(problem).toBeUndefined();
    const results = names.map((name, index) =>
      compare(disk, disk.pagesOf(name), found.get(inodes[index])),
    );
    expect(results).toEqual([
      { found: range(0, 733), wrong: [] },
      { found: [0], wrong: [] },
      { found: wholeHoles, wrong: [] },
      { found: [], wrong: [] },
    ]);
  });

  test('with blocks of 1 KiB has one for every page that lies in one piece', async () => {
    disk.makeExt(fileSystem, 1024);
    const inodes = ['large', 'small'].map((name) => disk.inodeOf(name));
    const { found } = await filesOn(disk, inodes, 1024);
    const large = compare(disk, disk.pagesOf('large'), found.get(inodes[0]));
    expect(large.wrong).toEqual([]);
    // A block that says where further blocks are lies between them now and then, unless they are extents.
    expect(large.found.length).toBeGreaterThan(700);
    // One block, and behind it those of somebody else.
    expect(compare(disk, disk.pagesOf('small'), found.get(inodes[1])).found).toEqual([]);
  });
});

test('a file in many pieces is found whole', async () => {
  const pieces = range(0, 200).map((index) => `piece-${index}`);
  const full = new SampleDisk({
    again: [randomBytes(650 * pageBytes)],
    ...Object.fromEntries(pieces.map((name) => [name, [randomBytes(5 * pageBytes)]])),
  });
  // Room for the pieces, and then for the file only where every second one was.
  const file = full.takeOut('again');
  full.makeExt('ext4', 4096, 5, ['-O', '^has_journal']);
  const removed = pieces.filter((_, index) => index % 2 === 0).map((name) => `rm ${name}`);
  full.debugfs([...removed, `write ${file} again`]);
  const inode = full.inodeOf('again');
  expect(full.debugfs([`ex <${inode}>`]).split('\n').length).toBeGreaterThan(80);
  const { found } = await filesOn(full, [inode], 4096);
  const result = compare(full, wholePages(readFileSync(file)), found.get(inode));
  full.remove();
  expect(result).toEqual({ found: range(0, 650), wrong: [] });
});

test('blocks that are set aside and not written yet have no place', async () => {
  disk.makeExt('ext4', 4096);
  const inode = disk.inodeOf('holes');
  disk.debugfs([`fallocate <${inode}> 0 29`]);
  expect(disk.debugfs([`ex <${inode}>`])).toContain('Uninit');
  const { found } = await filesOn(disk, [inode], 4096);
  expect(compare(disk, disk.pagesOf('holes'), found.get(inode))).toEqual({
    found: wholeHoles,
    wrong: [],
  });
});

test('a partition is found by where it begins', async () => {
  disk.makeExt('ext4', 4096);
  const inode = disk.inodeOf('large');
  const startBytes = 2 ** 20;
  disk.moveTo(startBytes);
  const { found } = await filesOn(disk, [inode], 4096, startBytes);
  expect(compare(disk, disk.pagesOf('large'), found.get(inode), startBytes).found).toHaveLength(
    733,
  );
  const elsewhere = await filesOn(disk, [inode], 4096, startBytes / 2);
  expect(elsewhere.found.size).toBe(0);
  expect(elsewhere.problem).toMatch(/^debugfs: Bad magic number .*disk\.img\?offset=524288$/);
});

test('inodes that are no files are passed over, and those behind them still answered for', async () => {
  disk.makeExt('ext4', 4096);
  const inode = disk.inodeOf('small');
  const { found, problem } = await filesOn(disk, [2, 4_000_000_000, 0, 11, 999, inode], 4096);
  expect(problem).toBeUndefined();
  expect([...found.keys()]).toEqual([inode]);
});

test('a disk whose path says something to a shell or to the tool is read like any other', async () => {
  const odd = new SampleDisk({ small: [randomBytes(100)] });
  odd.makeExt('ext4', 4096);
  const inode = odd.inodeOf('small');
  const path = `${odd.folder}/-w?offset=4096;$(true) 'x`;
  renameSync(odd.path, path);
  const image = DiskImage.open(path);
  const found: number[] = [];
  await findExtFiles({
    image,
    startBytes: 0,
    blockSizeBytes: 4096,
    inodes: [inode],
    onFile: (number) => found.push(number),
  });
  image.close();
  odd.remove();
  expect(found).toEqual([inode]);
});

const head = 'Inode: 12   Type: regular    Mode:  0644   Flags: 0x80000';

function read(lines: readonly string[]): readonly [number, Extents][] {
  const answers: [number, Extents][] = [];
  const reader = new StatReader(4096, (inode, extents) => answers.push([inode, extents]));
  for (const line of lines) {
    reader.line(line);
  }
  return answers;
}

test.each([
  ['(0-3):10-12'],
  ['(0-3):10-14'],
  ['(3-0):13-10'],
  ['(0-3):10-13, (2-4):20-22'],
  ['(0-3):10-13, (4):x'],
  ['(0-3):10-13, something else'],
  ['(0-3):10-13,(4):20'],
  ['(-1-3):10-14'],
  ['(0-99999999999999999999):0-99999999999999999999'],
  ['(0-3[u]:10-13'],
])('a list of blocks that is not understood gives no place: %s', (line) => {
  expect(read([head, 'EXTENTS:', line])).toEqual([]);
});

test('a list of blocks belongs to the inode right before it', () => {
  expect(read(['EXTENTS:', '(0):10'])).toEqual([]);
  expect(read([head, 'debugfs: stat <13>', 'EXTENTS:', '(0):10'])).toEqual([]);
  expect(read([head.replace('regular', 'directory'), 'EXTENTS:', '(0):10'])).toEqual([]);
  expect(read([head, 'EXTENTS:', '(0):10', 'EXTENTS:', '(0):10'])).toHaveLength(1);
});

test('any lines are taken, and no place is negative or endless', () => {
  const number = fc.oneof(fc.nat(50), fc.constantFrom('-1', '1e9', '18446744073709551615', ''));
  const block = fc
    .tuple(number, fc.constantFrom('', '[u]'), number, number, number)
    .map(([from, mark, to, first, last]) => `(${from}${mark}-${to}${mark}):${first}-${last}`);
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(head, 'EXTENTS:', 'BLOCKS:', 'debugfs: stat <12>', '(ETB0):7', '(IND):7'),
    fc.array(block, { maxLength: 4 }).map((blocks) => blocks.join(', ')),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      for (const [inode, extents] of read(lines)) {
        expect(inode).toBe(12);
        for (let page = 0; page < 60; page++) {
          const at = extents.find(page * pageBytes, pageBytes);
          expect(at === undefined || (Number.isSafeInteger(at) && at >= 0)).toBe(true);
        }
      }
    }),
  );
});
