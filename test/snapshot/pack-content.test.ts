// A pack's bytes: the same at every call, whatever threads encode them, and made without any pack waiting for another.

import { setTimeout as sleep } from 'node:timers/promises';
import { ImageView } from '../../introspect/memory/image-view.js';
import { BusyTime } from '../../src/flow/busy-time.js';
import { chosenCodec } from '../../src/pack/codec/chosen-codec.js';
import type { FrameMethod } from '../../src/pack/codec/codec-choice.js';
import type { PackedRun, RunCodec } from '../../src/pack/codec/run-codec.js';
import { decodePackHeader } from '../../src/pack/decode.js';
import { batchSlots, createFramePool, type FramePool } from '../../src/pack/frame-pool.js';
import { maskPageCount } from '../../src/pack/mask.js';
import { pageHashBytes } from '../../src/pack/page-hash.js';
import type { PackRequest } from '../../src/pack/types.js';
import { PackContent } from '../../src/snapshot/pack-content.js';
import { framesOf } from '../pack/made-frames.js';

const windowCount = 48;
const pageCount = windowCount * 64;
const pageSizeBytes = 4096;
const testTimeoutMs = 120_000;

/** Every page another one, half of it compressible, every fifth page zero. */
const image = new Uint8Array(pageCount * pageSizeBytes);
for (let page = 0; page < pageCount; page++) {
  if (page % 5 === 0) {
    continue;
  }
  let state = page + 1;
  for (let at = 0; at < pageSizeBytes / 2; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    image[page * pageSizeBytes + at] = state >>> 16;
  }
}
const memory = new ImageView(
  [{ gpaStart: 0, sizeBytes: image.length, imageOffset: 0 }],
  (offset, target) => {
    target.set(image.subarray(offset, offset + target.length));
  },
);

/** All windows, each but for its last page. */
const request: PackRequest = {
  replication: 3,
  frames: {
    window: Uint32Array.from({ length: windowCount }, (_, index) => index),
    maskLow: new Uint32Array(windowCount).fill(0xffffffff),
    maskHigh: new Uint32Array(windowCount).fill(0x7fffffff),
  },
};

/** What all sources have that pack by LZ4. */
const byLz4 = () => ({ codec: chosenCodec('lz4', 2), taking: new BusyTime() });

async function bytesOf(content: PackContent): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content.content()) {
    // Its memory is used again for what comes.
    pieces.push(new Uint8Array(piece));
  }
  return Buffer.concat(pieces);
}

/** Encodes where it is called, some time later. */
const slowPool = (threadCount: number): FramePool => ({
  threadCount,
  encode: async (batch, into, methods) => {
    await sleep(1);
    const made = framesOf({ ...batch, bytes: new Uint8Array(batch.bytes) }, methods);
    into.set(made.bytes);
    return { ...made, bytes: into.subarray(0, made.bytes.length) };
  },
  encodeFile: () => Promise.reject(new Error('there is no file')),
  lz4Block: () => Promise.reject(new Error('only frames are made here')),
  check: () => Promise.reject(new Error('nothing is read here')),
  write: () => Promise.reject(new Error('nothing is written here')),
  run: () => Promise.reject(new Error('there are no other modules')),
  close: () => Promise.resolve(),
});

test(
  'a second call gives the same bytes and frames as the first, as a retry of the store needs',
  async () => {
    const pool = createFramePool({ threads: 2 });
    try {
      let pagesBytes = 0;
      const content = new PackContent(
        {
          pages: memory,
          pool,
          slots: batchSlots(8),
          ...byLz4(),
          onPages: (sizeBytes) => (pagesBytes += sizeBytes),
        },
        request,
      );
      const first = await bytesOf(content);
      const firstFrames = content.frames();
      const firstHashes = content.hashes();
      expect(decodePackHeader(first)).toEqual({ version: 2 });
      expect(pagesBytes).toBe(windowCount * 63 * pageSizeBytes);
      expect(first.equals(await bytesOf(content))).toBe(true);
      expect(content.frames()).toEqual(firstFrames);
      expect(content.hashes()).toEqual(firstHashes);

      // Back to back from the header to the end, so that nothing is missing and nothing is between.
      let at = 32;
      let storedPageCount = 0;
      for (const { frames, held } of firstFrames) {
        for (const [frame, start] of frames.offset.entries()) {
          expect(start).toBe(at);
          at += frames.length[frame];
          expect(frames.pageCount[frame]).toBe(
            maskPageCount(held.maskLow[frame], held.maskHigh[frame]),
          );
          storedPageCount += frames.pageCount[frame];
        }
      }
      expect(at).toBe(first.length);
      expect(firstHashes.length).toBe(storedPageCount * pageHashBytes);
    } finally {
      await pool.close();
    }
  },
  testTimeoutMs,
);

test('by auto the second call gives the bytes of the first, though the codec would choose anew', async () => {
  let runCount = 0;
  const codec: RunCodec = {
    next: () => [['lz4'], ['zstd:1'], []][runCount++ % 3] as readonly FrameMethod[],
    packed: () => undefined,
    taken: () => undefined,
  };
  const taking = new BusyTime();
  const content = new PackContent(
    {
      pages: memory,
      pool: slowPool(2),
      slots: batchSlots(8),
      codec,
      taking,
      onPages: () => undefined,
    },
    request,
  );
  const first = await bytesOf(content);
  const firstFrames = content.frames();
  const chosenCount = runCount;
  runCount++;
  expect(first.equals(await bytesOf(content))).toBe(true);
  expect(content.frames()).toEqual(firstFrames);
  expect(runCount).toBe(chosenCount + 1);
});

test('the codec is told of every run, and of all that the store took', async () => {
  const runs: PackedRun[] = [];
  let takenBytes = 0;
  let takenSeconds = 0;
  const content = new PackContent(
    {
      pages: memory,
      pool: slowPool(2),
      slots: batchSlots(8),
      codec: {
        next: () => ['lz4'],
        packed: (run) => runs.push(run),
        taken: (bytes, seconds) => {
          takenBytes += bytes;
          takenSeconds += seconds;
        },
      },
      taking: new BusyTime(),
      onPages: () => undefined,
    },
    request,
  );
  const startMs = performance.now();
  let storedBytes = 0;
  for await (const piece of content.content()) {
    storedBytes += piece.length;
    await sleep(5);
  }
  const sum = (of: (run: PackedRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  expect(sum(({ pagesBytes }) => pagesBytes)).toBe(windowCount * 63 * pageSizeBytes);
  // The header is no run.
  expect(takenBytes).toBe(storedBytes - 32);
  expect(takenSeconds).toBeGreaterThan((runs.length * 4) / 1000);
  expect(takenSeconds).toBeLessThan((performance.now() - startMs) / 1000);
  expect(sum((run) => run.storedBytes)).toBe(storedBytes - 32 - windowCount * 20);
});

test(
  'a call that was broken off leaves nothing in the next, and keeps no slot',
  async () => {
    // One slot: had the first call kept any of it, the second would wait for ever.
    const slots = batchSlots(1);
    const content = new PackContent(
      { pages: memory, pool: slowPool(2), slots, ...byLz4(), onPages: () => undefined },
      request,
    );
    const broken = content.content();
    for (let pieceCount = 0; pieceCount < 3; pieceCount++) {
      await broken.next();
    }
    await broken.return(undefined);
    const whole = await bytesOf(content);
    const fresh = new PackContent(
      {
        pages: memory,
        pool: slowPool(2),
        slots: batchSlots(100),
        ...byLz4(),
        onPages: () => undefined,
      },
      request,
    );
    expect(whole.equals(await bytesOf(fresh))).toBe(true);
    expect(content.frames()).toEqual(fresh.frames());
    expect(content.hashes()).toEqual(fresh.hashes());
  },
  testTimeoutMs,
);

test.each([1, 2, 3, 5, 8])(
  'packs that share %d slots do not wait for each other for ever',
  async (slotCount) => {
    const source = {
      pages: memory,
      pool: slowPool(4),
      slots: batchSlots(slotCount),
      ...byLz4(),
      onPages: () => undefined,
    };
    const packs = [1, 2, 3].map(() => bytesOf(new PackContent(source, request)));
    const giveUp = new AbortController();
    const all = await Promise.race([
      Promise.all(packs),
      sleep(testTimeoutMs / 3, 'stuck' as const, { signal: giveUp.signal }),
    ]);
    giveUp.abort();
    expect(all).not.toBe('stuck');
  },
  testTimeoutMs,
);

test('an image that cannot be read fails the pack and gives its slot back', async () => {
  const slots = batchSlots(1);
  const unreadable = new ImageView(memory.regions, () => {
    throw new Error('the image ended');
  });
  const content = new PackContent(
    { pages: unreadable, pool: slowPool(2), slots, ...byLz4(), onPages: () => undefined },
    request,
  );
  await expect(bytesOf(content)).rejects.toThrow('the image ended');
  await Promise.resolve();
  expect(slots.tryTake()).toBeDefined();
});
