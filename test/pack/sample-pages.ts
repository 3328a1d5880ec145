// Pages made from a seed, the same in every run and on every machine.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { maskPageCount } from '../../src/pack/mask.js';
import type { FrameRequests, PageBatch, PlaceColumns } from '../../src/pack/types.js';

export type PageKind = 'zero' | 'noise' | 'repeat';

/** xorshift32, so that no codec shrinks it. `seed` must not be 0. */
export function noisePage(seed: number): Uint8Array {
  const page = Buffer.alloc(pageSizeBytes);
  let state = seed;
  for (let at = 0; at < pageSizeBytes; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    page.writeUInt32LE(state >>> 0, at);
  }
  return page;
}

export function samplePage(kind: PageKind, seed: number): Uint8Array {
  if (kind === 'zero') {
    return new Uint8Array(pageSizeBytes);
  }
  if (kind === 'noise') {
    return noisePage(seed);
  }
  return new Uint8Array(pageSizeBytes).fill((seed % 255) + 1);
}

export interface FrameOutline {
  readonly window: number;
  readonly maskLow: number;
  readonly maskHigh: number;
}

export function requestsOf(frames: readonly FrameOutline[]): FrameRequests {
  return {
    window: Uint32Array.from(frames, ({ window }) => window),
    maskLow: Uint32Array.from(frames, ({ maskLow }) => maskLow),
    maskHigh: Uint32Array.from(frames, ({ maskHigh }) => maskHigh),
  };
}

/** A batch whose pages take their kinds from `kinds` in turn. */
export function batchOf(frames: readonly FrameOutline[], kinds: readonly PageKind[]): PageBatch {
  const pageCount = frames.reduce(
    (sum, { maskLow, maskHigh }) => sum + maskPageCount(maskLow, maskHigh),
    0,
  );
  const pages = Array.from({ length: pageCount }, (_, index) =>
    samplePage(kinds[index % kinds.length], index + 1),
  );
  return { frames: requestsOf(frames), bytes: new Uint8Array(Buffer.concat(pages)) };
}

/** Every page of every frame at the place that it was taken from. */
export function placesOf(held: FrameRequests): PlaceColumns {
  const frameCount = held.window.length;
  return {
    ...held,
    frame: Uint32Array.from({ length: frameCount }, (_, frame) => frame),
    slot: new Uint8Array(frameCount),
  };
}

/** What `work` throws; fails the test when it returns. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error, got a value');
}
