// The judges of a live snapshot find out what is of two moments.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { readRamWitness, wrongPages } from './stream-witnesses.js';
import { wrongRecords } from './take-live-snapshot.js';
import { markOf, pageOf, pageState, witnessPageCount } from './witness-layout.js';

const generation = 7;

const allPages = (of: number): readonly Buffer[] =>
  Array.from({ length: witnessPageCount }, (_, index) => pageOf(index, of));
const oldPages = allPages(generation - 1);
const newPages = allPages(generation);

/** The moment at which so many pages were rewritten, the last of them in part. */
function pagesAt(newCount: number, newWordCount?: number): Buffer[] {
  const last = pageOf(newCount - 1, generation, newWordCount);
  return [...newPages.slice(0, newCount - 1), last, ...oldPages.slice(newCount)];
}

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

test('pages of one moment are found right, wherever the rewrite was', () => {
  const rewritten = fc.integer({ min: 1, max: witnessPageCount });
  fc.assert(
    fc.property(rewritten, fc.integer({ min: 0, max: 508 }), (newCount, newWordCount) => {
      expect(wrongPages(pagesAt(newCount, newWordCount))).toEqual([]);
    }),
    { numRuns: 5 },
  );
});

test('a page of another moment is found out', () => {
  const other = fc.integer({ min: 0, max: witnessPageCount - 1 });
  fc.assert(
    fc.property(other, (index) => {
      const pages = pagesAt(500);
      pages[index] = pageOf(index, index < 500 ? generation - 1 : generation);
      // The first and the last page of a generation can be of either moment.
      const isBorder = index === 499 || index === 500;
      expect(wrongPages(pages).length > 0).toBe(!isBorder);
    }),
    { numRuns: 10 },
  );
});

test('a half-written page away from the rewrite, a broken one and a missing one are found out', () => {
  const halfWritten = pagesAt(500);
  halfWritten[100] = pageOf(100, generation, 30);
  expect(pageState(halfWritten[100])).toBe('half-written');
  expect(wrongPages(halfWritten)).toHaveLength(1);
  const broken = pagesAt(500);
  broken[100] = Buffer.from(broken[100]);
  broken[100][2000] ^= 1;
  expect(pageState(broken[100])).toBe('broken');
  expect(wrongPages(broken)).toHaveLength(1);
  expect(wrongPages(pagesAt(500).slice(1))).toHaveLength(1);
});

test('a disk behind the RAM is found out, and so is one before it', () => {
  expect(wrongRecords({ synced: 10, onDisk: 10, begun: 11 })).toEqual([]);
  expect(wrongRecords({ synced: 10, onDisk: 11, begun: 11 })).toEqual([]);
  expect(wrongRecords({ synced: 10, onDisk: 9, begun: 11 })).toHaveLength(1);
  expect(wrongRecords({ synced: 10, onDisk: 12, begun: 11 })).toHaveLength(1);
  expect(wrongRecords({ synced: 0, onDisk: 0, begun: 0 })).toHaveLength(1);
});

test('the pages are found wherever they lie in a stream', async () => {
  const counts = Buffer.alloc(4080);
  counts.writeBigUInt64LE(42n, 0);
  counts.writeBigUInt64LE(41n, 8);
  const records = Buffer.concat([markOf('records'), counts]);
  const header = Buffer.alloc(9);
  const path = join(folder.path, 'stream');
  const parts = [records, ...pagesAt(500).reverse()].flatMap((page) => [header, page]);
  await writeFile(path, Buffer.concat(parts));
  expect(await readRamWitness(path)).toEqual({ begunCount: 42, syncedCount: 41, wrong: [] });
  await writeFile(path, Buffer.concat(parts.slice(2)));
  expect((await readRamWitness(path)).wrong).toHaveLength(1);
});
