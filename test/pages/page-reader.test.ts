import * as fc from 'fast-check';
import { findProblem } from '../../src/manifest/check.js';
import { placeOf } from '../../src/manifest/space/place.js';
import { PageReader } from '../../src/pages/page-reader.js';
import { memoryCluster } from '../../src/store/memory/cluster.js';
import { countReads, storeSpaces } from './stored-space.js';

const pageSizeBytes = 4096;
const packHeaderSizeBytes = 32;

test('any pages of any space are read as they were stored, whatever the cache holds', async () => {
  const { store, manifest, ram, disk, content } = await storeSpaces(1, 500);
  expect(findProblem(manifest)).toBeUndefined();
  const range = fc.record({
    isRam: fc.boolean(),
    first: fc.nat(499),
    count: fc.integer({ min: 0, max: 130 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(range, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(0, 3 * pageSizeBytes, 2 ** 20, 2 ** 26),
      fc.constantFrom(0, 2 ** 18),
      async (ranges, cacheBytes, readAheadBytes) => {
        const reader = new PageReader(store, manifest, { cacheBytes, readAheadBytes });
        for (const { isRam, first, count } of ranges) {
          const space = isRam ? ram : disk;
          const all = isRam ? content.ram : content.disk;
          const pageCount = all.length / pageSizeBytes;
          const from = Math.min(first, pageCount - 1);
          const length = Math.min(count, pageCount - from);
          const expected = all.subarray(from * pageSizeBytes, (from + length) * pageSizeBytes);
          expect(Buffer.compare(await reader.read(space, from, length), expected)).toBe(0);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a single page costs one frame, and the header of its pack once', async () => {
  const { store, manifest, ram } = await storeSpaces(2, 400);
  const counted = countReads(store);
  const reader = new PageReader(counted.store, manifest);
  const seen = new Set<number>();
  const packs = new Set<number>();
  for (const page of [17, 390, 100, 201, 18, 5, 17]) {
    const place = placeOf(ram, page);
    counted.reads.length = 0;
    await reader.read(ram, page, 1);
    const frame = place.kind === 'stored' ? place.frame : undefined;
    const expectedBytes =
      frame === undefined || seen.has(frame)
        ? 0
        : manifest.frames.length[frame] +
          (packs.has(manifest.frames.pack[frame]) ? 0 : packHeaderSizeBytes);
    expect(counted.reads.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(expectedBytes);
    if (frame !== undefined) {
      seen.add(frame);
      packs.add(manifest.frames.pack[frame]);
    }
  }
  expect(seen.size).toBeGreaterThan(2);
});

test('frames that are neighbours in a pack are fetched together', async () => {
  const { store, manifest, ram } = await storeSpaces(3, 120);
  const counted = countReads(store);
  await new PageReader(counted.store, manifest).read(ram, 0, 120);
  // All frames lie in one pack, and nearly all are wanted.
  expect(manifest.header.packs).toHaveLength(1);
  expect(counted.reads.length).toBeLessThanOrEqual(3);
});

test('pages that are asked for in their order are fetched ahead', async () => {
  const { store, manifest, ram, content } = await storeSpaces(4, 400);
  const readsOf = async (readAheadBytes: number): Promise<number> => {
    const counted = countReads(store);
    const reader = new PageReader(counted.store, manifest, { readAheadBytes });
    for (let page = 0; page < 400; page++) {
      const bytes = await reader.read(ram, page, 1);
      const at = page * pageSizeBytes;
      expect(Buffer.compare(bytes, content.ram.subarray(at, at + pageSizeBytes))).toBe(0);
    }
    return counted.reads.length;
  };
  expect(await readsOf(2 ** 20)).toBeLessThan((await readsOf(0)) / 2);
});

test('a frame that many ask for at once is fetched once', async () => {
  const { store, manifest, ram } = await storeSpaces(5, 60);
  const page = [...Array(60).keys()].find((index) => placeOf(ram, index).kind === 'stored') ?? 0;
  const counted = countReads(store);
  const reader = new PageReader(counted.store, manifest, { readAheadBytes: 0 });
  await Promise.all(Array.from({ length: 20 }, () => reader.read(ram, page, 1)));
  expect(counted.reads.length).toBeLessThanOrEqual(2);
});

test('pages that are asked for while their node is away are had when it is back', async () => {
  const { store, manifest, ram, content } = await storeSpaces(6, 60);
  const cluster = memoryCluster(store.url.slice('memory:'.length));
  const reader = new PageReader(store, manifest);
  cluster.nodes.forEach((node) => {
    cluster.takeAway(node);
  });
  await expect(reader.read(ram, 0, 60)).rejects.toMatchObject({ code: 'data-lost' });
  cluster.nodes.forEach((node) => {
    cluster.bringBack(node);
  });
  expect(Buffer.compare(await reader.read(ram, 0, 60), content.ram)).toBe(0);
});

test('a page of which nothing is stored is an error that says so, and no page of zeroes', async () => {
  const { store, manifest, ram } = await storeSpaces(7, 60);
  const zero = [...Array(60).keys()].find((index) => placeOf(ram, index).kind === 'zero') ?? 0;
  const reader = new PageReader(store, manifest);
  expect(await reader.read(ram, zero, 1)).toEqual(new Uint8Array(pageSizeBytes));
  await expect(reader.read({ ...ram, notStored: [0] }, zero, 1)).rejects.toMatchObject({
    code: 'data-lost',
    message: expect.stringContaining(`page ${zero} of ram is not stored`) as unknown,
  });
});

test('pages outside of the space are refused', async () => {
  const { store, manifest, ram } = await storeSpaces(8, 60);
  const reader = new PageReader(store, manifest);
  await expect(reader.read(ram, 59, 2)).rejects.toMatchObject({ code: 'usage' });
});

test('a pack whose header is damaged gives no page', async () => {
  const { store, manifest, ram } = await storeSpaces(9, 60);
  const damaged = {
    ...store,
    read: async (name: string, offsetBytes: number, sizeBytes: number) => {
      const bytes = new Uint8Array(await store.read(name, offsetBytes, sizeBytes));
      if (offsetBytes === 0) {
        bytes[9] ^= 1;
      }
      return bytes;
    },
  };
  await expect(new PageReader(damaged, manifest).read(ram, 30, 20)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringMatching(/^packs\/00000000000000aa\/000000.pack: pack header/) as unknown,
  });
});
