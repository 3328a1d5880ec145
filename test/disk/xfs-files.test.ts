// Places by xfs_db, on an image that mkfs.xfs makes; and what is made of output that is not as expected.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { DiskImage } from '../../src/disk/disk-image.js';
import type { Extents } from '../../src/disk/extents.js';
import { BmapReader, findXfsFiles } from '../../src/disk/xfs-files.js';
import { pageBytes, SampleDisk } from './sample-disk.js';

const files = { large: [randomBytes(3_000_000)], small: [randomBytes(5000)] };
let disk: SampleDisk;
let inodes: readonly number[];

beforeAll(() => {
  disk = new SampleDisk(files);
  disk.makeXfs(Object.keys(files));
  const listing = execFileSync('xfs_db', ['-r', '-f', '-c', 'ls /', disk.path], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  inodes = Object.keys(files).map((name) => {
    const line = listing.split('\n').find((text) => text.includes(` ${name} `));
    return Number(/\s(\d{3,})\s+regular/.exec(line ?? '')?.[1]);
  });
});
afterAll(() => {
  disk.remove();
});

async function filesOn(numbers: readonly number[], startBytes = 0) {
  const image = DiskImage.open(disk.path);
  const found = new Map<number, Extents>();
  const problem = await findXfsFiles({
    image,
    startBytes,
    blockSizeBytes: 4096,
    inodes: numbers,
    onFile: (inode, extents) => found.set(inode, extents),
  });
  image.close();
  return { found, problem };
}

test('every page of a file has a place, where the disk holds its bytes', async () => {
  const { found, problem } = await filesOn(inodes);
  expect(problem).toBeUndefined();
  const image = DiskImage.open(disk.path);
  const bytes = Buffer.alloc(pageBytes);
  const same = Object.keys(files).map(
    (name, row) =>
      disk.pagesOf(name).filter((page, index) => {
        const at = found.get(inodes[row])?.find(index * pageBytes, pageBytes);
        return at !== undefined && image.read(at, bytes) && bytes.equals(page);
      }).length,
  );
  image.close();
  expect(same).toEqual([733, 2]);
});

test('an inode that there is not has no place, and those behind it have', async () => {
  const { found } = await filesOn([inodes[0], 999_999, 2 ** 40, inodes[1]]);
  expect([...found.keys()]).toEqual(inodes);
});

test('a partition and a disk of something else are refused with the reason', async () => {
  expect((await filesOn(inodes, 2 ** 20)).problem).toBe('xfs_db cannot look into a partition');
  disk.write(0, Buffer.alloc(4096));
  const { found, problem } = await filesOn(inodes);
  expect(found.size).toBe(0);
  expect(problem).toMatch(/xfs_db/);
});

const geometry = ['agblocks = 100', 'blocksize = 4096', 'current inode number is 12'];

function read(lines: readonly string[]): readonly [number, Extents][] {
  const answers: [number, Extents][] = [];
  const reader = new BmapReader((inode, extents) => answers.push([inode, extents]));
  for (const line of lines) {
    reader.line(line);
  }
  reader.end();
  return answers;
}

test('blocks are counted through the allocation groups, and those not written yet left out', () => {
  const [[, extents]] = read([
    ...geometry,
    'data offset 0 startblock 259 (2/3) count 2 flag 0',
    'data offset 2 startblock 261 (2/5) count 1 flag 1',
    'attr offset 3 startblock 1 (0/1) count 1 flag 0',
  ]);
  const found = [0, 1, 2, 3].map((page) => extents.find(page * pageBytes, pageBytes));
  expect(found).toEqual([203 * 4096, 204 * 4096, undefined, undefined]);
});

test.each([
  'data offset 0 startblock 259 (2/100) count 2 flag 0',
  'data offset 0 startblock 259 count 2 flag 0',
  'data offset 0 startblock 259 (2/3) count 0 flag 0',
  'data offset 0 startblock 259 (2/3) count 2 flag 2',
  'data offset x startblock 259 (2/3) count 2 flag 0',
  'data offset 0 startblock 259 (99999999999999999999/3) count 2 flag 0',
])('a line that is not understood gives the file no place: %s', (line) => {
  expect(read([...geometry, 'data offset 0 startblock 0 (0/0) count 1 flag 1', line])).toEqual([]);
});

test('a file system of unknown geometry gives no place', () => {
  const line = 'data offset 0 startblock 24 (0/24) count 7 flag 0';
  expect(read(['current inode number is 12', line])).toEqual([]);
});

test('any lines are taken, and no place is negative or endless', () => {
  const number = fc.oneof(fc.nat(50), fc.constantFrom('-1', '18446744073709551615', ''));
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...geometry, 'agblocks = 0', 'blocksize = 99999999999'),
    fc
      .tuple(number, number, number, number)
      .map(
        ([at, group, block, count]) =>
          `data offset ${at} startblock 1 (${group}/${block}) count ${count} flag 0`,
      ),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      for (const [, extents] of read(lines)) {
        for (let page = 0; page < 60; page++) {
          const at = extents.find(page * pageBytes, pageBytes);
          expect(at === undefined || (Number.isSafeInteger(at) && at >= 0)).toBe(true);
        }
      }
    }),
  );
});
