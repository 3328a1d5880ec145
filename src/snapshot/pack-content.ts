// The bytes of one pack, made as they are sent: pages read from the image and encoded in worker threads, handed on in order.
//
// A few batches are encoded ahead of the one being sent. What is ahead is bounded by a byte budget that all packs of an
// upload share, so memory does not grow with the image or with the number of packs under way.
import { pageSizeBytes, type PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import type { ByteBudget } from '../flow/byte-budget.js';
import { encodePackHeader } from '../pack/encode.js';
import { batchSizeBytes, type FramePool } from '../pack/frame-pool.js';
import { maskPageCount } from '../pack/mask.js';
import { readRequestedPages, requestedSizeBytes } from '../pack/read-pages.js';
import type { FrameBatch, FrameRequests, PackRequest } from '../pack/types.js';
import type { WrittenFrames } from './merge-frames.js';

/** RAM, or a disk: byte n of the space is byte n here. */
export type PagesSource = Pick<PhysicalMemory, 'fd' | 'readImage' | 'storedAt'>;

export interface PackSource {
  readonly pages: PagesSource;
  readonly pool: FramePool;
  readonly budget: ByteBudget;
  /** Called as raw bytes go into the stream. */
  readonly onPages: (sizeBytes: number) => void;
}

/**
 * Yields the pack's bytes; when they have all been taken, the return value of `frames()` says where each frame lies.
 * Every call of `content` starts again from the beginning, as a store's retry wants.
 */
export class PackContent {
  readonly #source: PackSource;
  readonly #request: PackRequest;
  #batches: WrittenFrames[] = [];
  #hashes: Uint8Array[] = [];

  constructor(source: PackSource, request: PackRequest) {
    this.#source = source;
    this.#request = request;
  }

  async *content(): AsyncGenerator<Uint8Array> {
    const { pool, budget, onPages } = this.#source;
    this.#batches = [];
    this.#hashes = [];
    const header = encodePackHeader();
    yield header;
    let offset = header.length;
    const ahead: { readonly encoded: Promise<FrameBatch>; readonly rawSizeBytes: number }[] = [];
    const batches = splitFrames(this.#request.frames);
    let next = 0;
    try {
      while (next < batches.length || ahead.length > 0) {
        while (next < batches.length && ahead.length <= pool.threadCount) {
          const frames = batches[next];
          const rawSizeBytes = requestedSizeBytes(frames);
          // Packs that hold batches and wait for more would wait for each other for ever.
          if (ahead.length === 0) {
            await budget.take(rawSizeBytes);
          } else if (!budget.tryTake(rawSizeBytes)) {
            break;
          }
          next++;
          ahead.push({ encoded: this.#encode(frames, rawSizeBytes), rawSizeBytes });
        }
        const { encoded, rawSizeBytes } = ahead[0];
        const batch = await encoded;
        this.#batches.push(shifted(batch, offset));
        this.#hashes.push(batch.hashes);
        offset += batch.bytes.length;
        onPages(rawSizeBytes);
        if (batch.bytes.length > 0) {
          yield batch.bytes;
        }
        ahead.shift();
        budget.give(rawSizeBytes);
      }
    } finally {
      for (const { rawSizeBytes } of ahead) {
        budget.give(rawSizeBytes);
      }
    }
  }

  /** Never throws: what fails shows when the batch is awaited in its turn, and its budget is given back there. */
  #encode(frames: FrameRequests, rawSizeBytes: number): Promise<FrameBatch> {
    const { pages, pool } = this.#source;
    const encode = async (): Promise<FrameBatch> => {
      if (pages.fd !== undefined) {
        return await pool.encodeFile({ frames, fd: pages.fd });
      }
      const bytes = new Uint8Array(rawSizeBytes);
      readRequestedPages(frames, bytes, (imageOffset, target) => {
        pages.readImage(imageOffset, target);
      });
      return await pool.encode({ frames, bytes });
    };
    const encoded = encode();
    // A failure before its turn must not count as unhandled.
    encoded.catch(() => undefined);
    return encoded;
  }

  /** The pack's frames in order. Complete once `content` has been taken to its end. */
  frames(): readonly WrittenFrames[] {
    return this.#batches;
  }

  /** Hashes of all its pages, likewise. */
  hashes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#hashes));
  }
}

/** Cuts frames into batches of about `batchSizeBytes` raw bytes; the columns are views. */
function splitFrames({ window, maskLow, maskHigh }: FrameRequests): readonly FrameRequests[] {
  const batches: FrameRequests[] = [];
  let first = 0;
  let sizeBytes = 0;
  const cut = (end: number): void => {
    batches.push({
      window: window.slice(first, end),
      maskLow: maskLow.slice(first, end),
      maskHigh: maskHigh.slice(first, end),
    });
    first = end;
    sizeBytes = 0;
  };
  for (let frame = 0; frame < window.length; frame++) {
    sizeBytes += maskPageCount(maskLow[frame], maskHigh[frame]) * pageSizeBytes;
    if (sizeBytes >= batchSizeBytes) {
      cut(frame + 1);
    }
  }
  if (first < window.length) {
    cut(window.length);
  }
  return batches;
}

function shifted({ frames, held }: FrameBatch, byBytes: number): WrittenFrames {
  return { frames: { ...frames, offset: frames.offset.map((offset) => offset + byBytes) }, held };
}
