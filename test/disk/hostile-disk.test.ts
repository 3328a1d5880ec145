// A guest that has made its file system so that the tool is busy with it for ever: what it may cost, and what is proven all
// the same.
import { randomBytes } from 'node:crypto';
import { DiskImage } from '../../src/disk/disk-image.js';
import { proofBounds, ProofBudget } from '../../src/disk/proof-budget.js';
import { provePages } from '../../src/disk/prove-pages.js';
import { guestWith, pageBytes, SampleDisk } from './sample-disk.js';

const names = ['a-good', ...Array.from({ length: 40 }, (_, index) => `bad-${index}`)];
const badInodeBytes = 8 * pageBytes;
const blockBytes = 4096;
let sample: SampleDisk;
let image: DiskImage;
let inodes: readonly number[];

/** A block of pointers to itself, named as the tree of each bad file: debugfs lists the same million blocks for each. */
beforeAll(() => {
  sample = new SampleDisk(
    Object.fromEntries(names.map((name) => [name, [randomBytes(badInodeBytes)]])),
  );
  sample.makeExt('ext2', blockBytes);
  inodes = names.map((name) => sample.inodeOf(name));
  const block = Number(sample.debugfs(['bmap /bad-0 0']).trim().split('\n').at(-1));
  const pointers = Buffer.alloc(blockBytes);
  for (let at = 0; at < blockBytes; at += 4) {
    pointers.writeUInt32LE(block, at);
  }
  sample.write(block * blockBytes, pointers);
  sample.debugfs(names.slice(1).map((name) => `sif /${name} block[DIND] ${block}`));
  image = DiskImage.open(sample.path);
});
afterAll(() => {
  image.close();
  sample.remove();
});

function guest(volumeCount: number) {
  return guestWith(
    names.flatMap((name, file) =>
      sample.pagesOf(name).map((bytes, pageInFile) => ({ bytes, file, pageInFile })),
    ),
    inodes.map((inode, index) => ({ inode, volume: index % volumeCount })),
    Array.from({ length: volumeCount }, () => ({
      fileSystem: 'ext2',
      disk: 'vda',
      startBytes: 0,
      blockSizeBytes: blockBytes,
    })),
  );
}

async function prove(volumeCount: number, timeMs: number) {
  const startMs = performance.now();
  const budget = new ProofBudget({
    ...proofBounds,
    run: { ...proofBounds.run, timeMs },
    disk: { ...proofBounds.disk, timeMs: 2 * timeMs },
  });
  const proven = await provePages({
    ...guest(volumeCount),
    disks: [{ name: 'vda', image }],
    budget,
  });
  return { ...proven, tookMs: performance.now() - startMs };
}

test('a file system that keeps its tool busy is left when its time is up, and what was proven counts', async () => {
  const { held, warnings, tookMs } = await prove(1, 1500);
  expect(tookMs).toBeLessThan(6000);
  expect(warnings.join()).toMatch(/ext2 files on vda .*debugfs was ended after/);
  // Those of the file asked for first.
  expect([...held.page.subarray(0, 8)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(held.page.length).toBeLessThan(names.length * 8);
});

test('any number of such file systems on a disk takes no more than a disk may', async () => {
  const { warnings, tookMs } = await prove(names.length, 1500);
  expect(tookMs).toBeLessThan(9000);
  expect(warnings.join()).toMatch(/have taken all the time/);
  expect(warnings.length).toBeLessThan(10);
});

test('a comparison that takes longer than its pages may is ended, and those compared until then count', async () => {
  const budget = new ProofBudget({ ...proofBounds, compareMs: 0, compareBytesPerMs: 2 ** 40 });
  const bytes = randomBytes(pageBytes);
  const { held, warnings } = await provePages({
    ...guestWith(
      Array.from({ length: 64 }, (_, index) => ({
        bytes,
        file: 0,
        pageInFile: index * 100,
        label: 'block-device' as const,
      })),
      [{ inode: 0, volume: 0 }],
      [{ fileSystem: 'bdev', disk: 'vda', startBytes: 0, blockSizeBytes: 512 }],
    ),
    disks: [{ name: 'vda', image }],
    budget,
  });
  expect(held.page.length).toBe(0);
  expect(warnings.join()).toMatch(/not all cached pages of vda are held against the disk/);
});
