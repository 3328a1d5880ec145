// The pages of a frame as they are written: by whichever of some methods makes the least of them.
import { windowSizeBytes } from '../layout.js';
import type { FrameCodec } from './codec.js';
import type { FrameMethod } from './codec-choice.js';
import { lz4 } from './lz4/lz4.js';
import { raw } from './raw.js';
import { zstdAt } from './zstd.js';

/** What a frame's pages became: the codec, and the bytes of payload. */
export interface Packed {
  readonly codec: FrameCodec;
  readonly sizeBytes: number;
}

/** Sums over frames, as PackingCost has them. */
export interface PackingTally {
  storedBytes: number;
  lz4Bytes: number;
  zstdSeconds: number;
}

/** A second payload, while the first is held against it. Never seen outside a call. */
let other = Buffer.alloc(0);

/**
 * Writes the payload of a frame to `into`, which is as long as `pages`: the smallest that the methods give, of two that are as small
 * the earlier one's, and the pages as they are where none of them is smaller. Adds to `tally`.
 */
export function packPages(
  pages: Uint8Array,
  into: Uint8Array,
  methods: readonly FrameMethod[],
  tally: PackingTally,
): Packed {
  let best: Packed | undefined;
  for (const method of methods) {
    const room = best === undefined ? into : otherRoom().subarray(0, pages.length);
    const codec = method === 'lz4' ? lz4 : zstdAt(Number(method.slice('zstd:'.length)));
    const startMs = performance.now();
    const sizeBytes = codec.pack(pages, room);
    if (method === 'lz4') {
      tally.lz4Bytes += sizeBytes ?? pages.length;
    } else {
      tally.zstdSeconds += (performance.now() - startMs) / 1000;
    }
    if (sizeBytes !== undefined && (best === undefined || sizeBytes < best.sizeBytes)) {
      if (room !== into) {
        into.set(room.subarray(0, sizeBytes));
      }
      best = { codec, sizeBytes };
    }
  }
  if (best === undefined) {
    into.set(pages);
    best = { codec: raw, sizeBytes: pages.length };
  }
  tally.storedBytes += best.sizeBytes;
  return best;
}

function otherRoom(): Buffer {
  if (other.length === 0) {
    other = Buffer.alloc(windowSizeBytes);
  }
  return other;
}
