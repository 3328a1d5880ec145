// Worker threads for what costs time on the way of the pages: compression, checksums, and writing the image.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import type { Transferable } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { type SharedBytes, SharedSlots } from '../flow/shared-slots.js';
import type { FrameMethod } from './codec/codec-choice.js';
import { type Reply, valueOf } from './frame-reply.js';
import type { EncodeJob, WriteJob } from './frame-worker.js';
import { frameHeaderSizeBytes, windowSizeBytes } from './layout.js';
import { LoadedThreads } from './loaded-threads.js';
import type { FileBatch, FrameBatch, PageBatch, PlaceColumns, StoredFrames } from './types.js';

/**
 * Raw bytes a job should carry: four windows take 1 ms to encode, beside which the 80 us of a message there and back
 * are little, and the memory in flight stays at a few MiB per thread.
 */
export const batchSizeBytes = 2 ** 20;

/** A batch ends with the window that fills it, and each of its pages may be a frame by itself. */
const batchRoomBytes =
  batchSizeBytes + windowSizeBytes + (batchSizeBytes / 4096 + 1) * frameHeaderSizeBytes;

/** LZ4 on four cores outruns a 10 GbE link to HDFS; more would only take CPU from the guests on this host. */
const maxDefaultThreads = 4;

/** While one waits for a peer, another has the thread. */
export const jobsPerThread = 2;

/** `count` slots, each with room for the frames of a batch, and for its pages behind their headers. */
export function batchSlots(count: number): SharedSlots {
  return new SharedSlots(count, batchRoomBytes);
}

/**
 * Bytes given to a method are best in shared memory (shared-slots.ts): others are copied into such first. They must not be changed
 * before the answer. Jobs queue without limit: the caller bounds what is in flight, `threadCount + 1` jobs keep every thread busy.
 */
export interface FramePool {
  readonly threadCount: number;
  /** As `encodeFrames`, into `into`; the pages may lie in it too, behind as many bytes as the headers of all frames have. */
  encode(batch: PageBatch, into: SharedBytes, methods: readonly FrameMethod[]): Promise<FrameBatch>;
  /** As `encodeFrames`, with the pages read by the worker. `fd` must stay open until this settles. */
  encodeFile(
    batch: FileBatch,
    into: SharedBytes,
    methods: readonly FrameMethod[],
  ): Promise<FrameBatch>;
  /** As `lz4BlockBytes`, for what is no frame. */
  lz4Block(bytes: Uint8Array): Promise<number>;
  /** As `checkStoredFrames`. */
  check(stored: StoredFrames): Promise<number>;
  /** As `writeStoredFrames`. `fd` must stay open until this settles. */
  write(stored: StoredFrames, places: PlaceColumns, fd: number): Promise<number>;
  /**
   * A job of another module, by the module's name among the imports of package.json. Each thread has up to two of them under way,
   * so that one goes on while another waits. `transfer` is given away.
   */
  run<T>(module: `#${string}`, job: string, task: unknown, transfer: Transferable[]): Promise<T>;
  /** Waits for threads that start and jobs that run, then ends the threads. */
  close(): Promise<void>;
}

export interface FramePoolOptions {
  readonly threads?: number;
  /** Threads start now, for who has jobs soon and something else to do until then; else when jobs come. */
  readonly isNeededSoon?: boolean;
}

const require = createRequire(import.meta.url);

/** Threads stay until `close`. */
export function createFramePool({
  threads,
  isNeededSoon = false,
}: FramePoolOptions = {}): FramePool {
  const threadCount = threads ?? Math.min(availableParallelism(), maxDefaultThreads);
  const piscina = new Piscina({
    filename: require.resolve('#frame-worker'),
    minThreads: isNeededSoon ? threadCount : 0,
    maxThreads: threadCount,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: jobsPerThread,
    recordTiming: false,
    // The heap only: pages lie outside of it, and are bounded by the slots.
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
  });
  const loaded = new LoadedThreads(piscina);

  async function runHere<T>(job: string, task: unknown): Promise<T> {
    return valueOf((await piscina.run(task, { name: job })) as Reply<T>);
  }

  return {
    threadCount,
    encode({ frames, bytes }, into, methods) {
      const batch = { frames, bytes: shared(bytes) };
      const job: EncodeJob<PageBatch> = { batch, into, methods };
      return runHere('encodeBatch', job);
    },
    encodeFile(batch, into, methods) {
      const job: EncodeJob<FileBatch> = { batch, into, methods };
      return runHere('encodeFileBatch', job);
    },
    lz4Block: (bytes) => runHere('lz4Block', shared(bytes)),
    check: (stored) => runHere('checkBatch', { ...stored, bytes: shared(stored.bytes) }),
    write(stored, places, fd) {
      const job: WriteJob = { stored: { ...stored, bytes: shared(stored.bytes) }, places, fd };
      return runHere('writeBatch', job);
    },
    async run<T>(module: string, name: string, task: unknown, transferList: Transferable[]) {
      const filename = require.resolve(module);
      return (await piscina.run(task, { filename, name, transferList })) as T;
    },
    async close() {
      await loaded.wait();
      await piscina.close();
    },
  };
}

/** A view that is sent takes a copy of its whole ArrayBuffer along, unless that is shared. */
function shared(bytes: Uint8Array): SharedBytes {
  if (bytes.buffer instanceof SharedArrayBuffer) {
    return bytes as SharedBytes;
  }
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
