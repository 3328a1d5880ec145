// Worker threads for what costs time on the way of the pages: compression, checksums, and writing the image.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { type Reply, valueOf } from './frame-reply.js';
import type { WriteJob } from './frame-worker.js';
import type { FileBatch, FrameBatch, PageBatch, PlaceColumns, StoredFrames } from './types.js';

/**
 * Raw bytes a job should carry: four windows take 1.5 ms to encode, beside which the 80 us of a message there and back
 * are little, and the memory in flight stays at a few MiB per thread.
 */
export const batchSizeBytes = 2 ** 20;

/** LZ4 on four cores outruns a 10 GbE link to HDFS; more would only take CPU from the guests on this host. */
const maxDefaultThreads = 4;

/**
 * For every method: `bytes` is moved to a worker when it fills its whole ArrayBuffer, and must not be used afterwards;
 * otherwise it is copied first. Jobs queue without limit: the caller bounds what is in flight, `threadCount + 1` jobs
 * keep every thread busy.
 */
export interface FramePool {
  readonly threadCount: number;
  /** As `encodeFrames`. */
  encode(batch: PageBatch): Promise<FrameBatch>;
  /** As `encodeFrames`, with the pages read by the worker. `fd` must stay open until this settles. */
  encodeFile(batch: FileBatch): Promise<FrameBatch>;
  /** As `lz4BlockBytes`, for what is no frame. */
  lz4Block(bytes: Uint8Array): Promise<number>;
  /** As `decodePages`. */
  decode(stored: StoredFrames): Promise<Uint8Array>;
  /** As `writeStoredFrames`. `fd` must stay open until this settles. */
  write(stored: StoredFrames, places: PlaceColumns, fd: number): Promise<number>;
  /** Waits for jobs that run, then ends the threads. */
  close(): Promise<void>;
}

/** Threads start when jobs come, and stay until `close`. */
export function createFramePool({ threads }: { readonly threads?: number } = {}): FramePool {
  const threadCount = threads ?? Math.min(availableParallelism(), maxDefaultThreads);
  const piscina = new Piscina({
    filename: createRequire(import.meta.url).resolve('#frame-worker'),
    minThreads: 0,
    maxThreads: threadCount,
    idleTimeout: Infinity,
    recordTiming: false,
    // With its default, piscina's workers take the next job without a turn of their event loop. lz4-napi's buffers are
    // freed in such turns only: 4 GiB encoded left 3 GiB of dead memory, and half the speed.
    atomics: 'disabled',
    // The heap only: pages lie outside of it, in ArrayBuffers, and are bounded by the batches in flight.
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
  });

  async function run<T>(job: string, task: unknown, moved?: Uint8Array): Promise<T> {
    const reply: unknown = await piscina.run(task, {
      name: job,
      ...(moved === undefined ? {} : { transferList: [moved.buffer as ArrayBuffer] }),
    });
    return valueOf(reply as Reply<T>);
  }

  return {
    threadCount,
    encode(batch) {
      const bytes = movable(batch.bytes);
      return run('encodeBatch', { ...batch, bytes }, bytes);
    },
    encodeFile: (batch) => run('encodeFileBatch', batch),
    lz4Block(block) {
      const bytes = movable(block);
      return run('lz4Block', bytes, bytes);
    },
    decode(stored) {
      const bytes = movable(stored.bytes);
      return run('decodeBatch', { ...stored, bytes }, bytes);
    },
    write(stored, places, fd) {
      const bytes = movable(stored.bytes);
      const job: WriteJob = { stored: { ...stored, bytes }, places, fd };
      return run('writeBatch', job, bytes);
    },
    close: () => piscina.close(),
  };
}

/** Moving a view takes its whole ArrayBuffer along, which may be Node's shared pool or belong to others. */
function movable(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength
    ? bytes
    : new Uint8Array(bytes);
}
