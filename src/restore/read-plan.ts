// Which pieces of which packs to read, in what order. Pure.
//
// Frames that lie next to each other in a pack are read together, up to a limit; a frame of a lost pack is not asked for.
import type { AddressSpace } from '../manifest/types.js';
import type { FrameColumns } from '../pack/types.js';

/** Bytes per request: large enough that a request's cost does not count, small enough to have several in flight. */
export const readSizeBytes = 4 * 2 ** 20;

export interface ReadPiece {
  readonly pack: number;
  /** In the pack, in bytes. */
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** Indices into the space's frames, ascending by offset. */
  readonly frameIndices: Uint32Array;
}

/** Pieces by pack, then offset. */
export function planReads(frames: AddressSpace['frames']): readonly ReadPiece[] {
  const { pack, offset, length } = frames;
  const order = Uint32Array.from({ length: pack.length }, (_, index) => index).sort(
    (a, b) => pack[a] - pack[b] || offset[a] - offset[b],
  );
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

/** The columns of the piece's frames alone, as a decoder takes them. */
export function framesOfPiece(
  frames: AddressSpace['frames'],
  { frameIndices }: ReadPiece,
): FrameColumns {
  const pick = (column: Uint32Array): Uint32Array => frameIndices.map((index) => column[index]);
  return {
    window: pick(frames.window),
    maskLow: pick(frames.maskLow),
    maskHigh: pick(frames.maskHigh),
    offset: pick(frames.offset),
    length: pick(frames.length),
  };
}
