// Question: how fast do worker threads turn pages into frames and back, and what does a second thread add?
// Method: 512 MiB of pages, one quarter each zero, noise, text-like and pointer-like, mixed page by page as a guest's RAM
//   is; jobs of `batchSizeBytes`, threads + 1 in flight; best of three rounds, counted in raw bytes. `here` is the same
//   work on the main thread, without messages.
// Non-goals: the store, the network, the disk (pages are decoded to memory), and how well real guests compress.
// Run: npm run build && npx tsx bench/frame-codec.ts [METHODS], such as lz4 (as without), zstd:3 or lz4,zstd:3
import { pageSizeBytes } from '../introspect/memory/physical-memory.js';
import type { FrameMethod } from '../src/pack/codec/codec-choice.js';
import { checkStoredFrames } from '../src/pack/decode.js';
import { encodeFrames } from '../src/pack/encode.js';
import { batchSizeBytes, batchSlots, createFramePool } from '../src/pack/frame-pool.js';
import { packVersion, windowSizeBytes } from '../src/pack/layout.js';
import type { FrameBatch, PageBatch, StoredFrames } from '../src/pack/types.js';

const methods = (process.argv[2] ?? 'lz4').split(',') as readonly FrameMethod[];
const totalBytes = 512 * 2 ** 20;
const roundCount = 3;
const batchCount = totalBytes / batchSizeBytes;
const framesPerBatch = batchSizeBytes / windowSizeBytes;

/** xorshift32: the same pages in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const random = createRandom(0x9e3779b9);
const words = 'page frame window memory kernel region offset length store block '.split(' ');

function fillPage(page: Buffer, kind: number): void {
  if (kind === 0) {
    return;
  }
  if (kind === 1) {
    for (let at = 0; at < page.length; at += 4) {
      page.writeUInt32LE(random(), at);
    }
  } else if (kind === 2) {
    let text = '';
    while (text.length < page.length) {
      text += `${words[random() % words.length]} `;
    }
    page.write(text, 'latin1');
  } else {
    for (let at = 0; at < page.length; at += 8) {
      page.writeUInt32LE((random() % 4096) * 64, at);
      page.writeUInt32LE(0xffff8880, at + 4);
    }
  }
}

function createPages(): Buffer {
  const pages = Buffer.alloc(batchSizeBytes);
  for (let at = 0; at < pages.length; at += pageSizeBytes) {
    fillPage(pages.subarray(at, at + pageSizeBytes), random() % 4);
  }
  return pages;
}

/** As many different batches as make repetition harmless to the caches. */
const samples = Array.from({ length: 32 }, createPages);

/** Where batches come to lie, one of each in flight. */
const slots = batchSlots(4);

/** As an upload does it from an image that is no file: pages into the slot, frames over them. */
function encodeHere(index: number, into: Uint8Array): FrameBatch {
  const { frames, bytes } = pageBatch(index);
  return encodeFrames(
    frames,
    into,
    (frame, pages) => {
      pages.set(bytes.subarray(frame * windowSizeBytes, (frame + 1) * windowSizeBytes));
    },
    methods,
  );
}

function pageBatch(index: number): PageBatch {
  const window = new Uint32Array(framesPerBatch).map((_, frame) => index * framesPerBatch + frame);
  const all = new Uint32Array(framesPerBatch).fill(0xffffffff);
  return {
    frames: { window, maskLow: all, maskHigh: all },
    bytes: samples[index % samples.length],
  };
}

function storedFrames({ frames, bytes }: FrameBatch): StoredFrames {
  return {
    pack: 'bench',
    version: packVersion,
    startBytes: 0,
    frames,
    bytes,
  };
}

/** Runs a job for each batch with at most `inFlight` at once; the best round in MiB/s. */
async function measure(inFlight: number, job: (index: number) => Promise<void>): Promise<number> {
  let bestMs = Infinity;
  for (let round = 0; round < roundCount; round++) {
    let next = 0;
    const lane = async () => {
      while (next < batchCount) {
        await job(next++);
      }
    };
    const startMs = performance.now();
    await Promise.all(Array.from({ length: inFlight }, lane));
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return totalBytes / 2 ** 20 / (bestMs / 1000);
}

function report(name: string, mibPerSecond: number): void {
  console.log(`${name.padEnd(20)} ${mibPerSecond.toFixed(0).padStart(6)} MiB/s`);
}

const encoded = samples.map((_, index) =>
  encodeHere(index, batchSlots(1).tryTake() ?? new Uint8Array()),
);
const encodedBytes = encoded.reduce((sum, { bytes }) => sum + bytes.length, 0);
const ratio = (samples.length * batchSizeBytes) / encodedBytes;
console.log(`raw to stored ${ratio.toFixed(2)}, zero pages included`);

report(
  'encode, here',
  await measure(1, async (index) => {
    const slot = await slots.take();
    encodeHere(index, slot);
    slots.give(slot);
  }),
);
report(
  'check, here',
  await measure(1, async (index) => {
    checkStoredFrames(storedFrames(encoded[index % encoded.length]));
    await Promise.resolve();
  }),
);

for (const threads of [1, 2]) {
  const pool = createFramePool({ threads });
  report(
    `encode, ${threads} thread${threads === 1 ? '' : 's'}`,
    await measure(threads + 1, async (index) => {
      const slot = await slots.take();
      const { frames, bytes } = pageBatch(index);
      const pages = slot.subarray(slot.length - bytes.length);
      pages.set(bytes);
      await pool.encode({ frames, bytes: pages }, slot, methods);
      slots.give(slot);
    }),
  );
  report(
    `check, ${threads} thread${threads === 1 ? '' : 's'}`,
    await measure(threads + 1, async (index) => {
      await pool.check(storedFrames(encoded[index % encoded.length]));
    }),
  );
  await pool.close();
}
