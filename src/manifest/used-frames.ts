// Which frames of a snapshot the pages of some spaces lie in, and the columns of some frames alone.
import type { FrameColumns } from '../pack/types.js';
import { noFrame } from './body/types.js';
import type { AddressSpace, SnapshotFrames } from './types.js';

/** Indices of the frames, ascending. */
export function usedFrames(
  { pack }: Pick<SnapshotFrames, 'pack'>,
  spaces: readonly Pick<AddressSpace, 'places'>[],
): Uint32Array {
  const isUsed = new Uint8Array(pack.length);
  for (const { places } of spaces) {
    for (const frame of places.frame) {
      if (frame !== noFrame) {
        isUsed[frame] = 1;
      }
    }
  }
  const frames = new Uint32Array(pack.length);
  let count = 0;
  for (let frame = 0; frame < isUsed.length; frame++) {
    // Written without a branch: which frames are used is in no order that a processor could guess.
    frames[count] = frame;
    count += isUsed[frame];
  }
  return frames.slice(0, count);
}

/** Bytes of these frames in their packs. */
export function framesSizeBytes({ length }: Pick<SnapshotFrames, 'length'>, frames: Uint32Array) {
  return frames.reduce((sum, frame) => sum + length[frame], 0);
}

/** Indices of the packs that these frames lie in. */
export function usedPacks(
  frames: Pick<SnapshotFrames, 'pack'>,
  spaces: readonly Pick<AddressSpace, 'places'>[],
): ReadonlySet<number> {
  return new Set(usedFrames(frames, spaces).map((frame) => frames.pack[frame]));
}

/** The columns of some frames alone, as a decoder takes them. */
export function pickFrames(frames: FrameColumns, indices: Uint32Array): FrameColumns {
  return {
    offset: picked(frames.offset, indices, new Uint32Array(indices.length)),
    length: picked(frames.length, indices, new Uint32Array(indices.length)),
    identity: picked(frames.identity, indices, new Uint32Array(indices.length)),
    pageCount: picked(frames.pageCount, indices, new Uint8Array(indices.length)),
  };
}

/** The columns of some frames alone, with the packs that they lie in. */
export function pickSnapshotFrames(frames: SnapshotFrames, indices: Uint32Array): SnapshotFrames {
  return {
    ...pickFrames(frames, indices),
    pack: picked(frames.pack, indices, new Uint32Array(indices.length)),
  };
}

function picked<T extends Uint8Array | Uint32Array>(from: T, indices: Uint32Array, to: T): T {
  for (let index = 0; index < indices.length; index++) {
    to[index] = from[indices[index]];
  }
  return to;
}
