// Worker threads run the built program: `npm run build` must come first.
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { decodePages } from '../../src/pack/decode.js';
import { encodeFrames } from '../../src/pack/encode.js';
import { createFramePool, type FramePool } from '../../src/pack/frame-pool.js';
import type { FrameBatch, PageBatch, StoredFrames } from '../../src/pack/types.js';
import { batchOf, placesOf, samplePage } from './sample-pages.js';

let pool: FramePool;
let folder: string;

beforeAll(() => {
  pool = createFramePool({ threads: 2 });
  folder = mkdtempSync(join(tmpdir(), 'pars-frame-pool-'));
});

afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

function sampleBatch(window: number): PageBatch {
  return batchOf(
    [
      { window, maskLow: 0xf000000f, maskHigh: 0x80000001 },
      { window: window + 1, maskLow: 0xffffffff, maskHigh: 0xffffffff },
    ],
    ['noise', 'repeat', 'zero'],
  );
}

/** Has the pool write an encoded batch, every page at the place that it was taken from. */
function writeBatch(batch: PageBatch, fd: number): Promise<number> {
  const encoded = encodeFrames(batch);
  return pool.write(storedFrames(encoded), placesOf(encoded.held), fd);
}

function storedFrames({ frames, bytes }: FrameBatch): StoredFrames {
  return { pack: 'packs/one', version: 2, startBytes: 0, frames, bytes: new Uint8Array(bytes) };
}

test('threads encode and decode what the pure functions do', async () => {
  const batches = [0, 10, 20, 30].map(sampleBatch);
  const expected = batches.map(encodeFrames);
  const encoded = await Promise.all(batches.map((batch) => pool.encode(batch)));
  expect(encoded.map(({ frames }) => frames)).toEqual(expected.map(({ frames }) => frames));
  expect(encoded.map(({ held }) => held)).toEqual(expected.map(({ held }) => held));
  expect(encoded.map(({ hashes }) => hashes)).toEqual(expected.map(({ hashes }) => hashes));
  for (const [index, { bytes }] of encoded.entries()) {
    expect(Buffer.from(bytes).equals(expected[index].bytes)).toBe(true);
  }
  const pages = await pool.decode(storedFrames(encoded[1]));
  expect(Buffer.from(pages).equals(decodePages(storedFrames(expected[1])))).toBe(true);
});

test('bytes that fill their buffer are moved, a view of a larger one is copied', async () => {
  const whole = sampleBatch(0);
  const larger = new Uint8Array(whole.bytes.length + 8);
  larger.set(whole.bytes, 8);
  await pool.encode({ ...whole, bytes: larger.subarray(8) });
  expect(larger.length).toBe(whole.bytes.length + 8);
  await pool.encode(whole);
  expect(whole.bytes.length).toBe(0);
});

test('threads write pages to their places in an image, and leave holes for the rest', async () => {
  const path = join(folder, 'image');
  const fd = openSync(path, 'w+');
  const batches = [sampleBatch(0), sampleBatch(40)];
  const counts = await Promise.all(batches.map((batch) => writeBatch(batch, fd)));
  const holes = fstatSync(fd).blocks * 512 < fstatSync(fd).size;
  closeSync(fd);
  expect(counts).toEqual(batches.map((batch) => storedPageCount(batch)));
  expect(holes).toBe(true);

  const image = readFileSync(path);
  const slots = [0, 1, 2, 3, 28, 29, 30, 31, 32, 63]; // the set bits of the first mask
  for (const window of [0, 40]) {
    for (const [slot, bit] of slots.entries()) {
      const kind = (['noise', 'repeat', 'zero'] as const)[slot % 3];
      const at = (window * 64 + bit) * 4096;
      const found = image.subarray(at, at + 4096);
      expect(found.equals(samplePage(kind, slot + 1))).toBe(true);
    }
    const unwritten = image.subarray((window * 64 + 4) * 4096, (window * 64 + 28) * 4096);
    expect(unwritten.every((byte) => byte === 0)).toBe(true);
  }
});

function storedPageCount(batch: PageBatch): number {
  return decodePages(storedFrames(encodeFrames(batch))).length / 4096;
}

test('an error in a thread arrives with its code and message', async () => {
  const encoded = encodeFrames(sampleBatch(0));
  encoded.bytes[100] ^= 1;
  const error: unknown = await pool
    .decode(storedFrames(encoded))
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ParsError);
  expect(error).toMatchObject({
    code: 'corrupt',
    message: expect.stringMatching(/^packs\/one: frame at byte 0: its CRC32C/) as unknown,
  });
});

test('memory stays small however much is encoded', async () => {
  const outlines = [0, 1, 2, 3].map((window) => ({
    window,
    maskLow: 0xffffffff,
    maskHigh: 0xffffffff,
  }));
  const batch = batchOf(outlines, ['noise', 'repeat']);
  const encodeSome = async (count: number) => {
    for (let done = 0; done < count; done += 4) {
      const jobs = Array.from({ length: 4 }, () =>
        pool.encode({ ...batch, bytes: new Uint8Array(batch.bytes) }),
      );
      await Promise.all(jobs);
    }
  };
  await encodeSome(64);
  const beforeBytes = process.memoryUsage().rss;
  await encodeSome(768);
  expect(process.memoryUsage().rss - beforeBytes).toBeLessThan(200 * 2 ** 20);
});

test('a file that cannot be written is an error with the place in the image', async () => {
  const fd = openSync(join(folder, 'read-only'), 'a+');
  closeSync(fd);
  const readOnly = openSync(join(folder, 'read-only'), 'r');
  const job = writeBatch(sampleBatch(0), readOnly);
  await expect(job).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/cannot write 8192 bytes at byte 0 of the image/) as unknown,
  });
  closeSync(readOnly);
});

test('a full disk is told apart', async () => {
  const fd = openSync('/dev/full', 'w');
  const job = writeBatch(sampleBatch(0), fd);
  await expect(job).rejects.toMatchObject({ code: 'no-space' });
  closeSync(fd);
});
