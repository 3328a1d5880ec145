// Which pieces of which packs to read, in what order. Pure.
//
// Frames that lie next to each other in a pack are read together, up to a limit.
import type { SnapshotFrames } from '../manifest/types.js';

/** Bytes per request: large enough that a request's cost does not count, small enough to have several in flight. */
export const readSizeBytes = 4 * 2 ** 20;

export interface ReadPiece {
  readonly pack: number;
  /** In the pack, in bytes. */
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** Indices among the snapshot's frames, ascending by offset. */
  readonly frameIndices: Uint32Array;
}

/** Pieces by pack, then offset. `wanted`: indices of frames. */
export function planReads(
  { pack, offset, length }: Pick<SnapshotFrames, 'pack' | 'offset' | 'length'>,
  wanted: Uint32Array,
): readonly ReadPiece[] {
  const order = wanted.slice().sort((a, b) => pack[a] - pack[b] || offset[a] - offset[b]);
  const pieces: ReadPiece[] = [];
  for (let at = 0; at < order.length;) {
    const first = order[at];
    const startBytes = offset[first];
    let endBytes = startBytes + length[first];
    let next = at + 1;
    while (
      next < order.length &&
      pack[order[next]] === pack[first] &&
      offset[order[next]] === endBytes &&
      endBytes + length[order[next]] - startBytes <= readSizeBytes
    ) {
      endBytes += length[order[next]];
      next++;
    }
    pieces.push({
      pack: pack[first],
      startBytes,
      sizeBytes: endBytes - startBytes,
      frameIndices: order.subarray(at, next),
    });
    at = next;
  }
  return pieces;
}
