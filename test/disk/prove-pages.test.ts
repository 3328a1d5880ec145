// What a disk is found to hold of a guest's cache, and what of that is had back from it: for files on images that the
// real programs make, of which the guest's RAM is made up here. test/disk/guest-cache.test.ts has real guests.
import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import * as fc from 'fast-check';
import type { DiskHeldPages } from '../../introspect/disk-held.js';
import type { Volume } from '../../introspect/heal/file-places.js';
import { DiskImage } from '../../src/disk/disk-image.js';
import type { GuestDisk } from '../../src/disk/guest-disks.js';
import { provePages } from '../../src/disk/prove-pages.js';
import { readHeldPages } from '../../src/disk/read-held-pages.js';
import type { Progress } from '../../src/flow/progress.js';
import { type CachedPage, guestWith, pageBytes, SampleDisk, shuffled } from './sample-disk.js';

const startBytes = 2 ** 20;
const files = { large: [randomBytes(300 * pageBytes)], other: [randomBytes(50_000)] };
const names = Object.keys(files);
let sample: SampleDisk;
let disk: GuestDisk;
let inodes: readonly number[];
const volume: Volume = { fileSystem: 'ext4', disk: 'vda', startBytes, blockSizeBytes: 4096 };
const device: Volume = { ...volume, fileSystem: 'bdev', blockSizeBytes: 512 };

beforeAll(() => {
  sample = new SampleDisk(files);
  sample.makeExt('ext4', 4096);
  inodes = names.map((name) => sample.inodeOf(name));
  sample.moveTo(startBytes);
  disk = { name: 'vda', image: DiskImage.open(sample.path) };
});
afterAll(() => {
  disk.image.close();
  sample.remove();
});

function cachedPages(): readonly CachedPage[] {
  return shuffled(
    names.flatMap((name, file) =>
      sample.pagesOf(name).map((bytes, pageInFile) => ({ bytes, file, pageInFile })),
    ),
  );
}

function guestOf(pages: readonly CachedPage[]) {
  return guestWith(
    pages,
    [...inodes.map((inode) => ({ inode, volume: 0 })), deviceFile],
    [volume, device],
  );
}
const deviceFile = { inode: 0, volume: 1 };

function diskBytes(offsetBytes: number): Buffer {
  const bytes = Buffer.alloc(pageBytes);
  disk.image.read(offsetBytes, bytes);
  return bytes;
}

test('every page that the disk holds is found, in ascending order and where its bytes are', async () => {
  const pages = cachedPages();
  const progress: Progress[] = [];
  const { held, counts, warnings } = await provePages({
    ...guestOf(pages),
    disks: [disk],
    onProgress: (step) => progress.push(step),
  });
  expect(warnings).toEqual([]);
  expect([...held.page]).toEqual([...pages.keys()]);
  expect(pages.filter(({ bytes }, row) => !diskBytes(held.offsetBytes[row]).equals(bytes))).toEqual(
    [],
  );
  expect(held.disks).toEqual([{ name: 'vda', sizeBytes: disk.image.sizeBytes }]);
  const pageCount = pages.length;
  expect(counts).toEqual([
    { label: 'file-reread', pageCount: 0, comparedPageCount: 0, heldPageCount: 0 },
    { label: 'file-clean', pageCount, comparedPageCount: pageCount, heldPageCount: pageCount },
    { label: 'block-device', pageCount: 0, comparedPageCount: 0, heldPageCount: 0 },
  ]);
  const bytes = pageCount * pageBytes;
  expect(progress.at(-1)).toMatchObject({ doneBytes: bytes, totalBytes: bytes });
});

test('a page of which one bit differs is not held, and its neighbours are', async () => {
  const pages = cachedPages();
  const { memory, places } = guestOf(pages);
  memory.bytes[17 * pageBytes + 4095] ^= 1;
  memory.bytes[40 * pageBytes] ^= 128;
  const { held } = await provePages({ memory, places, disks: [disk] });
  expect([...held.page]).toEqual([...pages.keys()].filter((page) => page !== 17 && page !== 40));
});

test('pages of the device itself lie where they say, and buffers go before what the file system says', async () => {
  const other = sample.pagesOf('other')[3];
  const { held: whole } = await provePages({
    ...guestOf([{ bytes: other, file: 1, pageInFile: 3 }]),
    disks: [disk],
  });
  const offsetBytes = whole.offsetBytes[0] - startBytes;
  const pages: CachedPage[] = [
    { bytes: other, file: 2, pageInFile: offsetBytes / pageBytes, label: 'block-device' },
    { bytes: other, file: 0, pageInFile: 7, bufferOffsetBytes: offsetBytes },
    { bytes: other, file: 1, pageInFile: 3, bufferOffsetBytes: offsetBytes + pageBytes },
  ];
  const { held, counts } = await provePages({ ...guestOf(pages), disks: [disk] });
  expect([...held.page]).toEqual([0, 1]);
  expect([...held.offsetBytes]).toEqual([offsetBytes + startBytes, offsetBytes + startBytes]);
  expect(counts.map(({ heldPageCount }) => heldPageCount)).toEqual([0, 1, 1]);
});

test('places beyond the end of the disk, or of no sense, hold nothing', async () => {
  const bytes = Buffer.alloc(pageBytes);
  const { held } = await provePages({
    ...guestOf([
      { bytes, file: 2, pageInFile: 0xffff_ffff, label: 'block-device' },
      { bytes, file: 0, pageInFile: 0, bufferOffsetBytes: Number.MAX_SAFE_INTEGER - 1 },
      { bytes, file: 0, pageInFile: 0, bufferOffsetBytes: disk.image.sizeBytes - startBytes - 1 },
      { bytes, file: 0, pageInFile: 4_000_000 },
    ]),
    disks: [disk],
  });
  expect(held.page).toHaveLength(0);
});

test('a disk that the guest has nothing of in memory is said to be one', async () => {
  const { held, warnings } = await provePages({
    ...guestOf(cachedPages()),
    disks: [{ name: 'vdb', image: disk.image }],
  });
  expect(held.page).toHaveLength(0);
  expect(warnings).toEqual([
    expect.stringMatching(/holds nothing that is proven: the guest has no file of vdb .* of vda$/),
  ]);
});

test('where the file system cannot be read, pages are left and one sentence says why', async () => {
  const pages = cachedPages();
  const { memory, places } = guestOf(pages);
  const elsewhere = places.volumes.map((entry) => ({ ...entry, startBytes: startBytes + 4096 }));
  const { held, warnings } = await provePages({
    memory,
    places: { ...places, volumes: elsewhere },
    disks: [disk],
  });
  expect(held.page).toHaveLength(0);
  expect(warnings).toEqual([
    expect.stringMatching(/files on vda .* not known: .*Bad magic number/),
  ]);
});

test('a stop ends it', async () => {
  const signal = AbortSignal.abort(new Error('stopped'));
  const proof = provePages({ ...guestOf(cachedPages()), disks: [disk], signal });
  await expect(proof).rejects.toThrow('stopped');
});

describe('pages that a disk holds', () => {
  let pages: readonly CachedPage[];
  let held: DiskHeldPages;

  beforeAll(async () => {
    pages = cachedPages();
    ({ held } = await provePages({ ...guestOf(pages), disks: [disk] }));
  });

  async function readBack(wanted: readonly number[], disks: readonly GuestDisk[] = [disk]) {
    const found = new Map<number, Buffer>();
    const missing = await readHeldPages({
      disks,
      held,
      wantedPages: Uint32Array.from(wanted),
      onPage: (page, bytes) => {
        found.set(page, Buffer.from(bytes));
      },
    });
    return { found, missing: [...missing] };
  }

  test('are had back as they were, whichever are wanted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...pages.keys()]), async (wanted) => {
        const { found, missing } = await readBack(wanted);
        expect(missing).toEqual([]);
        expect([...found.keys()].sort((a, b) => a - b)).toEqual(wanted);
        expect([...found].every(([page, bytes]) => bytes.equals(pages[page].bytes))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('are missing where the disk has changed since, and those alone', async () => {
    const changed = [3, 99, 200];
    const originals = changed.map((page) => diskBytes(held.offsetBytes[page]));
    changed.forEach((page) => {
      sample.write(held.offsetBytes[page] + 4000, Buffer.from('changed'));
    });
    const { found, missing } = await readBack([...pages.keys()]);
    changed.forEach((page, index) => {
      sample.write(held.offsetBytes[page], originals[index]);
    });
    expect(missing).toEqual(changed);
    expect(found.size).toBe(pages.length - changed.length);
  });

  test('are missing where their disk is not given, or is another or a shorter one', async () => {
    const all = [...pages.keys()];
    expect((await readBack(all, [])).missing).toEqual(all);
    expect((await readBack(all, [{ name: 'vdb', image: disk.image }])).missing).toEqual(all);
    const other = new SampleDisk({ small: [randomBytes(100)] });
    other.makeExt('ext4', 4096, 1);
    renameSync(other.path, `${other.path}.short`);
    const image = DiskImage.open(`${other.path}.short`);
    const { missing } = await readBack(all, [{ name: 'vda', image }]);
    image.close();
    other.remove();
    expect(missing).toEqual(all);
  });

  test('and none besides: a page that was never held is missing', async () => {
    const beyond = pages.length + 5;
    expect(await readBack([0, beyond])).toMatchObject({ missing: [beyond] });
  });

  test('are not gone on with where what is done with them fails', async () => {
    const reading = readHeldPages({
      disks: [disk],
      held,
      wantedPages: Uint32Array.from([0, 1]),
      onPage: () => Promise.reject(new Error('disk full')),
    });
    await expect(reading).rejects.toThrow('disk full');
  });
});
