// The bytes of one pack, made as they are sent: pages read from the image and encoded in worker threads, handed on in order.
//
// A few batches are encoded ahead of the one being sent, each into a slot of memory that is used again once it is sent. All packs of
// an upload share the slots, so memory does not grow with the image or with the number of packs under way.
import type { PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import type { BusyTime } from '../flow/busy-time.js';
import type { SharedBytes, SharedSlots } from '../flow/shared-slots.js';
import type { FrameMethod } from '../pack/codec/codec-choice.js';
import type { RunCodec } from '../pack/codec/run-codec.js';
import { encodePackHeader } from '../pack/encode.js';
import { batchSizeBytes, type FramePool } from '../pack/frame-pool.js';
import { readRequestedPages, requestedSizeBytes } from '../pack/read-pages.js';
import { splitFrames } from '../pack/split-frames.js';
import type { FrameBatch, FrameRequests, PackRequest } from '../pack/types.js';
import { shiftFrames, type WrittenFrames } from './merge-frames.js';

/** RAM, or a disk: byte n of the space is byte n here. */
export type PagesSource = Pick<PhysicalMemory, 'fd' | 'readImage' | 'storedAt'>;

export interface PackSource {
  readonly pages: PagesSource;
  readonly pool: FramePool;
  /** As `batchSlots` makes them. */
  readonly slots: SharedSlots;
  readonly codec: RunCodec;
  /** When the store had something to take, over all packs. */
  readonly taking: BusyTime;
  /** Called as raw bytes go into the stream. */
  readonly onPages: (sizeBytes: number) => void;
}

/** A batch that is being encoded, or was and waits to be sent. */
interface Ahead {
  readonly encoded: Promise<FrameBatch>;
  readonly rawSizeBytes: number;
  readonly methods: readonly FrameMethod[];
  readonly slot: SharedBytes;
}

/**
 * Yields the pack's bytes, each piece to be taken before the next is asked for; when they have all been taken, the return value of
 * `frames()` says where each frame lies. Every call of `content` starts again from the beginning, as a store's retry wants, and
 * yields the same bytes.
 */
export class PackContent {
  readonly #source: PackSource;
  readonly #request: PackRequest;
  /** By batch, as each was packed when it was packed first. */
  readonly #methods: (readonly FrameMethod[])[] = [];
  #batches: WrittenFrames[] = [];
  #hashes: Uint8Array[] = [];

  constructor(source: PackSource, request: PackRequest) {
    this.#source = source;
    this.#request = request;
  }

  async *content(): AsyncGenerator<Uint8Array> {
    const { pool, slots, codec, taking, onPages } = this.#source;
    this.#batches = [];
    this.#hashes = [];
    const header = encodePackHeader();
    yield header;
    let offset = header.length;
    const ahead: Ahead[] = [];
    const batches = splitFrames(this.#request.frames, batchSizeBytes);
    let next = 0;
    try {
      while (next < batches.length || ahead.length > 0) {
        while (next < batches.length && ahead.length <= pool.threadCount) {
          // Packs that hold slots and wait for more would wait for each other for ever.
          const slot = ahead.length === 0 ? await slots.take() : slots.tryTake();
          if (slot === undefined) {
            break;
          }
          const frames = batches[next];
          const methods = (this.#methods[next] ??= codec.next());
          next++;
          const rawSizeBytes = requestedSizeBytes(frames);
          const encoded = this.#encode(frames, rawSizeBytes, slot, methods);
          ahead.push({ encoded, rawSizeBytes, methods, slot });
        }
        const { encoded, rawSizeBytes, methods, slot } = ahead[0];
        const batch = await encoded;
        codec.packed({ ...batch.packing, methods, pagesBytes: rawSizeBytes });
        this.#batches.push(shiftFrames(batch, offset));
        this.#hashes.push(batch.hashes);
        offset += batch.bytes.length;
        onPages(rawSizeBytes);
        if (batch.bytes.length > 0) {
          taking.begin(performance.now());
          try {
            yield batch.bytes;
          } finally {
            codec.taken(batch.bytes.length, taking.end(performance.now()) / 1000);
          }
        }
        ahead.shift();
        slots.give(slot);
      }
    } finally {
      for (const { encoded, slot } of ahead) {
        // A thread may still write there.
        void encoded
          .catch(() => undefined)
          .then(() => {
            slots.give(slot);
          });
      }
    }
  }

  /** Never throws: what fails shows when the batch is awaited in its turn. */
  #encode(
    frames: FrameRequests,
    rawSizeBytes: number,
    slot: SharedBytes,
    methods: readonly FrameMethod[],
  ): Promise<FrameBatch> {
    const { pages, pool } = this.#source;
    const encode = async (): Promise<FrameBatch> => {
      if (pages.fd !== undefined) {
        return await pool.encodeFile({ frames, fd: pages.fd }, slot, methods);
      }
      const bytes = slot.subarray(slot.length - rawSizeBytes);
      readRequestedPages(frames, bytes, (imageOffset, target) => {
        pages.readImage(imageOffset, target);
      });
      return await pool.encode({ frames, bytes }, slot, methods);
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
