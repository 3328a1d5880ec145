// What an image's bytes come to, counted in one pass: zero and different pages, the file compressed as a whole, and the
// packs that an upload would write under each of several policies by lz4 and by zstd, made in the same threads by the same code and thrown
// away. A few blocks are under way at a time, so memory does not grow with the image.
import type { PageMap } from '../../introspect/label/page-map.js';
import {
  type ImageExtent,
  pageSizeBytes,
  type PhysicalMemory,
} from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import type { OnProgress } from '../flow/progress.js';
import { defaultZstdLevel } from '../pack/codec/codec-choice.js';
import { framesRoomBytes } from '../pack/encode.js';
import { batchSizeBytes, createFramePool, type FramePool } from '../pack/frame-pool.js';
import { defaultBlockSizeBytes, packContentBytes, windowSizeBytes } from '../pack/layout.js';
import { readRequestedPages, requestedSizeBytes } from '../pack/read-pages.js';
import { planPacks } from '../plan/pack-plan.js';
import { planReplication } from '../plan/plan.js';
import type { Policy, PolicyName } from '../plan/policy.js';
import type { ImageFigures } from '../report/model/image-figures.js';
import { lz4BlockSizeBytes, lz4FileBytes, lz4StoredBytes } from './lz4-size.js';
import { type PackTally, talliesOf } from './pack-tally.js';
import { type NonZeroPages, PageScan } from './page-scan.js';
import { SharedFrames } from './shared-frames.js';
import { startZstdSize, type ZstdSize } from './zstd-size.js';

/** Each has two jobs for the threads at a time, its frames and all of it: two keep four threads busy. */
const blocksUnderWay = 2;
const batchWindowCount = batchSizeBytes / windowSizeBytes;

export interface PolicyToMeasure {
  readonly name: PolicyName;
  /** With the labels as the policy sees them: what the disk holds is labelled so where the policy cares. */
  readonly map: Pick<PageMap, 'labels'>;
  readonly policy: Policy;
}

export interface MeasureOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** `map` gives the labels that are counted. Throws `cancelled` when stopped, and what reading the image throws. */
export async function measureImage(
  memory: PhysicalMemory,
  map: Pick<PageMap, 'labels'>,
  policies: readonly PolicyToMeasure[],
  { signal, onProgress }: MeasureOptions = {},
): Promise<ImageFigures> {
  const tallies = policies.map(({ map: { labels }, policy }) =>
    talliesOf(
      planPacks(planReplication({ labels }, policy), {
        packContentBytes: packContentBytes(defaultBlockSizeBytes),
      }),
    ),
  );
  const pool = createFramePool();
  const zstd = await startZstdSize();
  const measurement = new Measurement(memory, map.labels, tallies.flat(), pool, zstd);
  try {
    await measurement.run(signal, onProgress);
    const zstdBytes = await zstd?.end();
    return {
      imageSizeBytes: memory.sizeBytes,
      pageCount: map.labels.length,
      labels: measurement.scan.labelFigures(),
      policies: policies.map(({ name }, index) => ({
        policy: name,
        replications: tallies[index].map((tally) => tally.figures()),
      })),
      uniquePageCount: measurement.scan.unique().pageCount,
      lz4Bytes: lz4FileBytes(measurement.lz4BlocksBytes),
      zstdBytes,
    };
  } catch (error) {
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', 'the measurement was stopped', { cause: error });
    }
    throw error;
  } finally {
    await zstd?.stop();
    await measurement.settled();
    await pool.close();
  }
}

class Measurement {
  readonly scan: PageScan;
  lz4BlocksBytes = 0;
  readonly #memory: PhysicalMemory;
  readonly #tallies: readonly PackTally[];
  readonly #pool: FramePool;
  readonly #zstd: ZstdSize | undefined;
  /** By length of a block of zeroes. */
  readonly #lz4OfZeroes = new Map<number, Promise<number>>();
  #underWay: Promise<void>[] = [];

  constructor(
    memory: PhysicalMemory,
    labels: Uint8Array,
    tallies: readonly PackTally[],
    pool: FramePool,
    zstd: ZstdSize | undefined,
  ) {
    this.scan = new PageScan(labels);
    this.#memory = memory;
    this.#tallies = tallies;
    this.#pool = pool;
    this.#zstd = zstd;
  }

  async run(signal: AbortSignal | undefined, onProgress: OnProgress | undefined): Promise<void> {
    const { sizeBytes: totalBytes } = this.#memory;
    const zeroes = Buffer.alloc(Math.min(lz4BlockSizeBytes, totalBytes));
    const buffers = Array.from({ length: blocksUnderWay }, () =>
      Buffer.from(new SharedArrayBuffer(zeroes.length)),
    );
    const isHole = holesOf(this.#memory);
    for (let offset = 0, turn = 0; offset < totalBytes; offset += lz4BlockSizeBytes, turn++) {
      // Blocks end in the order in which they begin, and the oldest gives up its buffer here.
      if (this.#underWay.length === blocksUnderWay) {
        await this.#underWay.shift();
      }
      signal?.throwIfAborted();
      const length = Math.min(lz4BlockSizeBytes, totalBytes - offset);
      const block = isHole(offset, offset + length)
        ? this.#zeroBlock(offset, zeroes.subarray(0, length))
        : this.#block(offset, buffers[turn % blocksUnderWay].subarray(0, length));
      // A failure before its turn must not count as unhandled.
      block.catch(() => undefined);
      this.#underWay.push(block);
      onProgress?.({ phase: 'measuring', doneBytes: offset + length, totalBytes });
    }
    await Promise.all(this.#underWay);
  }

  /** Once nothing works on a block any more, whether it failed or not. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #block(offset: number, block: Buffer): Promise<void> {
    this.#memory.readImage(offset, block);
    const nonZero = this.scan.scan(block, offset / pageSizeBytes);
    const batches = this.#framesOf(offset, nonZero);
    await this.#finish(block, this.#lz4Block(block), async () => {
      // One at a time: the blocks under way keep the threads busy.
      for (const frames of batches) {
        await this.#encode(frames, offset, block);
      }
    });
  }

  async #zeroBlock(offset: number, block: Buffer): Promise<void> {
    this.scan.addZeroes(offset / pageSizeBytes, block.length / pageSizeBytes);
    // Holes are all alike, and may be most of an image: each length is compressed once.
    const lz4 = this.#lz4OfZeroes.get(block.length) ?? this.#lz4Block(block);
    this.#lz4OfZeroes.set(block.length, lz4);
    await this.#finish(block, lz4);
  }

  async #finish(block: Buffer, lz4: Promise<number>, pack?: () => Promise<void>): Promise<void> {
    const [lz4Bytes] = await Promise.all([lz4, pack?.(), this.#zstd?.write(block)]);
    this.lz4BlocksBytes += lz4StoredBytes(lz4Bytes, block.length);
  }

  #lz4Block(block: Buffer): Promise<number> {
    return this.#pool.lz4Block(block);
  }

  /** Before anything is awaited, as tallies want windows in their order. */
  #framesOf(offset: number, nonZero: NonZeroPages): readonly SharedFrames[] {
    const batches: SharedFrames[] = [];
    for (let index = 0; index < nonZero.low.length; index++) {
      if (index % batchWindowCount === 0) {
        batches.push(new SharedFrames());
      }
      const window = offset / windowSizeBytes + index;
      for (const tally of this.#tallies) {
        const wanted = tally.pagesOf(window);
        if (wanted === undefined) {
          continue;
        }
        const low = (wanted.low & nonZero.low[index]) >>> 0;
        const high = (wanted.high & nonZero.high[index]) >>> 0;
        if (low !== 0 || high !== 0) {
          batches[batches.length - 1].add(window, low, high, tally);
        }
      }
    }
    return batches;
  }

  async #encode(shared: SharedFrames, offset: number, block: Buffer): Promise<void> {
    const frames = shared.requests();
    if (frames.window.length === 0) {
      return;
    }
    const room = new Uint8Array(new SharedArrayBuffer(framesRoomBytes(frames)));
    const bytes = new Uint8Array(new SharedArrayBuffer(requestedSizeBytes(frames)));
    readRequestedPages(frames, bytes, (imageOffset, target) => {
      const start = imageOffset - offset;
      target.set(block.subarray(start, start + target.length));
    });
    // Of the frames themselves nothing is kept, so that the same room does for both.
    const lz4 = await this.#pool.encode({ frames, bytes }, room, ['lz4']);
    const zstd = await this.#pool.encode({ frames, bytes }, room, [`zstd:${defaultZstdLevel}`]);
    shared.tally(lz4, zstd);
  }
}

/** Whether a stretch of the image is a hole of its file. Stretches are asked for in ascending order. */
function holesOf(memory: PhysicalMemory): (startOffset: number, endOffset: number) => boolean {
  if (memory.dataAt === undefined) {
    return () => false;
  }
  let data: ImageExtent | undefined = { startOffset: 0, endOffset: 0 };
  return (startOffset, endOffset) => {
    if (data !== undefined && data.endOffset <= startOffset) {
      data = memory.dataAt?.(startOffset);
    }
    return data === undefined || data.startOffset >= endOffset;
  };
}
