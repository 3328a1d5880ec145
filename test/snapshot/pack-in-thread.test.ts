// A pack that a worker thread makes and sends is the pack that the main thread would have sent. Threads run the built program:
// `npm run build` must come first.
import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageView } from '../../introspect/memory/image-view.js';
import { BusyTime } from '../../src/flow/busy-time.js';
import { chosenCodec } from '../../src/pack/codec/chosen-codec.js';
import { batchSlots, createFramePool, type FramePool } from '../../src/pack/frame-pool.js';
import type { PackRequest } from '../../src/pack/types.js';
import { joinFrames } from '../../src/snapshot/merge-frames.js';
import { PackContent } from '../../src/snapshot/pack-content.js';
import { PackInThread } from '../../src/snapshot/pack-in-thread.js';
import { blockSinkPlan } from '../../src/store/hdfs/transfer/block-sink.js';
import { SinkFailure, type SinkPlan } from '../../src/store/threads/sink.js';
import { startFakePeer } from '../store/hdfs/fake-peer.js';
import { blockOn } from '../store/hdfs/located.js';

const windowCount = 48;
const pageSizeBytes = 4096;
const imageBytes = windowCount * 64 * pageSizeBytes;

/** Every page another one, half of it compressible, every fifth page zero. */
const image = new Uint8Array(imageBytes);
for (let page = 0; page < windowCount * 64; page++) {
  let state = page % 5 === 0 ? 0 : page + 1;
  for (let at = 0; state !== 0 && at < pageSizeBytes / 2; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0 || 1;
    image[page * pageSizeBytes + at] = state >>> 16;
  }
}

/** Windows with few pages and with many, the last of them with none that is not zero. */
const request: PackRequest = {
  replication: 3,
  frames: {
    window: Uint32Array.from({ length: windowCount }, (_, index) => index),
    maskLow: new Uint32Array(windowCount).map((_, index) =>
      index % 3 === 0 ? 1 << 6 : 0xffffffff,
    ),
    maskHigh: new Uint32Array(windowCount).map((_, index) => (index % 3 === 0 ? 0 : 0x7fffffff)),
  },
};

let pool: FramePool;
let folder: string;
let path: string;
let fd: number;
beforeAll(() => {
  pool = createFramePool({ threads: 2 });
  folder = mkdtempSync(join(tmpdir(), 'pars-pack-in-thread-'));
  path = join(folder, 'image');
  writeFileSync(path, image);
  fd = openSync(path, 'r');
});
afterAll(async () => {
  await pool.close();
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

interface Sent {
  readonly content: PackInThread;
  readonly bytes: () => Buffer;
  readonly plan: SinkPlan;
  readonly pagesBytes: () => number;
}

function packTo(options: { waitsAtBytes?: number } = {}, of = fd): Sent {
  const shared = new SharedArrayBuffer(imageBytes + 2 ** 20);
  let pagesBytes = 0;
  const content = new PackInThread(
    {
      pool,
      fd: of,
      codec: 'lz4',
      snapshot: '0123456789abcdef',
      onPages: (sizeBytes) => (pagesBytes += sizeBytes),
    },
    request,
  );
  return {
    content,
    bytes: () => Buffer.from(shared).subarray(0, content.sent?.sizeBytes ?? 0),
    plan: {
      module: new URL('shared-sink.mjs', import.meta.url).href,
      settings: { shared, waitsAtBytes: Infinity, ...options },
    },
    pagesBytes: () => pagesBytes,
  };
}

test('its bytes, frames and hashes are those of the content made here', async () => {
  const here = new PackContent(
    {
      pages: new ImageView(
        [{ gpaStart: 0, sizeBytes: imageBytes, imageOffset: 0 }],
        (offset, target) => {
          target.set(image.subarray(offset, offset + target.length));
        },
      ),
      pool,
      slots: batchSlots(8),
      codec: chosenCodec('lz4', 2),
      taking: new BusyTime(),
      onPages: () => undefined,
    },
    request,
  );
  const pieces: Buffer[] = [];
  for await (const piece of here.content()) {
    pieces.push(Buffer.from(piece));
  }
  const expected = Buffer.concat(pieces);
  const { content, bytes, plan, pagesBytes } = packTo();
  // Twice: as a store's retry asks.
  for (let time = 0; time < 2; time++) {
    expect(await content.send(plan, undefined)).toBe(expected.length);
    expect(bytes().equals(expected)).toBe(true);
    expect(content.sent?.written).toEqual(joinFrames(here.frames()));
    expect(content.sent?.hashes).toEqual(here.hashes());
  }
  expect(pagesBytes()).toBe(2 * (32 * 63 + 16) * pageSizeBytes);
});

test('more packs than threads are sent at once', async () => {
  const packs = Array.from({ length: 5 }, () => packTo());
  const sizes = await Promise.all(packs.map(({ content, plan }) => content.send(plan, undefined)));
  expect(new Set(sizes).size).toBe(1);
  expect(packs.every(({ bytes }) => bytes().equals(packs[0].bytes()))).toBe(true);
});

test('a failure of the sink comes with what the sink says of it', async () => {
  const gone = await startFakePeer(() => undefined);
  await gone.close();
  const { content } = packTo();
  const plan = blockSinkPlan({
    block: blockOn([gone.port]),
    blockSizeBytes: 64 * 2 ** 20,
    clientName: 'tester',
    doing: 'write /a',
    setupTimeoutMs: 1_000,
    ackTimeoutMs: 1_000,
    probeTimeoutMs: 1_000,
    connector: {
      connectTimeoutMs: 1_000,
      dataNodes: new Map(),
      usesHostnames: false,
      protections: undefined,
      isProven: false,
      encryptionKey: undefined,
    },
  });
  const error: unknown = await content.send(plan, undefined).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SinkFailure);
  expect(error).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('nothing listens there') as string,
    detail: { blamed: [`127.0.0.1:${gone.port}`], isKeyUnknown: false },
  });
});

test('an image that ends too soon is no failure of the sink', async () => {
  const shortPath = join(folder, 'short');
  writeFileSync(shortPath, image);
  truncateSync(shortPath, imageBytes / 2);
  const short = openSync(shortPath, 'r');
  try {
    const { content, plan } = packTo({}, short);
    const error: unknown = await content.send(plan, undefined).catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(SinkFailure);
    expect(error).toMatchObject({ code: 'image-invalid' });
  } finally {
    closeSync(short);
  }
});

test('an abort reaches the thread, before and while it waits for its sink', async () => {
  const waiting = new AbortController();
  const { content, plan } = packTo({ waitsAtBytes: 2 ** 20 });
  setTimeout(() => {
    waiting.abort();
  }, 100);
  await expect(content.send(plan, waiting.signal)).rejects.toMatchObject({ code: 'cancelled' });
  await expect(content.send(plan, AbortSignal.abort())).rejects.toMatchObject({
    code: 'cancelled',
  });
});
