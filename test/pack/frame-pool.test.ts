// Worker threads run the built program: `npm run build` must come first.
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import type { FrameMethod } from '../../src/pack/codec/codec-choice.js';
import { framesRoomBytes } from '../../src/pack/encode.js';
import { batchSlots, createFramePool, type FramePool } from '../../src/pack/frame-pool.js';
import type { FrameBatch, PageBatch, StoredFrames } from '../../src/pack/types.js';
import { framesOf, pagesIn } from './made-frames.js';
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
  const encoded = framesOf(batch);
  return pool.write(storedFrames(encoded), placesOf(encoded.held), fd);
}

function storedFrames({ frames, bytes }: FrameBatch): StoredFrames {
  return { pack: 'packs/one', version: 2, startBytes: 0, frames, bytes: new Uint8Array(bytes) };
}

/** Memory for the frames of a batch. */
function roomFor({ frames }: PageBatch): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(framesRoomBytes(frames)));
}

test('threads encode and check what the pure functions do', async () => {
  const batches = [0, 10, 20, 30].map(sampleBatch);
  const expected = batches.map((batch) => framesOf(batch));
  const encoded = await Promise.all(
    batches.map((batch) => pool.encode(batch, roomFor(batch), ['lz4'])),
  );
  expect(encoded.map(({ frames }) => frames)).toEqual(expected.map(({ frames }) => frames));
  expect(encoded.map(({ held }) => held)).toEqual(expected.map(({ held }) => held));
  expect(encoded.map(({ hashes }) => hashes)).toEqual(expected.map(({ hashes }) => hashes));
  for (const [index, { bytes }] of encoded.entries()) {
    expect(Buffer.from(bytes).equals(expected[index].bytes)).toBe(true);
  }
  expect(await pool.check(storedFrames(encoded[1]))).toBe(
    pagesIn(storedFrames(expected[1])).length / 4096,
  );
});

test('pages may lie behind the headers in the memory where their frames go', async () => {
  const batch = sampleBatch(0);
  const room = roomFor(batch);
  const bytes = room.subarray(room.length - batch.bytes.length);
  bytes.set(batch.bytes);
  const encoded = await pool.encode({ ...batch, bytes }, room, ['lz4']);
  const expected = framesOf(batch).bytes;
  expect(Buffer.from(encoded.bytes).equals(expected)).toBe(true);
  expect(Buffer.from(room.subarray(0, expected.length)).equals(expected)).toBe(true);
});

test('bytes that threads do not share are copied for them, and left as they were', async () => {
  const whole = sampleBatch(0);
  const larger = new Uint8Array(whole.bytes.length + 8);
  larger.set(whole.bytes, 8);
  const encoded = await pool.encode({ ...whole, bytes: larger.subarray(8) }, roomFor(whole), [
    'lz4',
  ]);
  expect(Buffer.from(encoded.bytes).equals(framesOf(whole).bytes)).toBe(true);
  expect(larger.subarray(8)).toEqual(whole.bytes);
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
  return pagesIn(storedFrames(framesOf(batch))).length / 4096;
}

test('an error in a thread arrives with its code and message', async () => {
  const encoded = framesOf(sampleBatch(0));
  encoded.bytes[100] ^= 1;
  const error: unknown = await pool.check(storedFrames(encoded)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ParsError);
  expect(error).toMatchObject({
    code: 'corrupt',
    message: expect.stringMatching(/^packs\/one: frame at byte 0: its CRC32C/) as unknown,
  });
});

test.each<[FrameMethod, number]>([
  ['lz4', 768],
  ['zstd:3', 192],
])('memory stays small however much is encoded by %s', async (method, batchCount) => {
  const outlines = [0, 1, 2, 3].map((window) => ({
    window,
    maskLow: 0xffffffff,
    maskHigh: 0xffffffff,
  }));
  const batch = batchOf(outlines, ['noise', 'repeat']);
  const slots = batchSlots(4);
  const encodeSome = async (count: number) => {
    for (let done = 0; done < count; done += 4) {
      const jobs = Array.from({ length: 4 }, async () => {
        const slot = await slots.take();
        const bytes = slot.subarray(slot.length - batch.bytes.length);
        bytes.set(batch.bytes);
        await pool.encode({ ...batch, bytes }, slot, [method]);
        slots.give(slot);
      });
      await Promise.all(jobs);
    }
  };
  await encodeSome(64);
  const beforeBytes = process.memoryUsage().rss;
  await encodeSome(batchCount);
  expect(process.memoryUsage().rss - beforeBytes).toBeLessThan(50 * 2 ** 20);
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
