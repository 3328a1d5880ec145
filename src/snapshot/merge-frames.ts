// Frames of all packs as the manifest wants them: one table, and for each space the places of its pages, ascending by window.
import type { SnapshotFrames } from '../manifest/types.js';
import type { FrameBatch, FrameColumns, FrameRequests, PlaceColumns } from '../pack/types.js';

/** A piece of a pack as it was written. */
export interface WrittenFrames {
  readonly frames: FrameColumns;
  /** What each frame holds, all of it and nothing else. */
  readonly held: FrameRequests;
}

export interface FramesOfPack extends WrittenFrames {
  /** Index of the pack in the header. */
  readonly pack: number;
  /** Index of the space. */
  readonly space: number;
}

export interface MergedFrames {
  readonly frames: SnapshotFrames;
  /** The places of each space. */
  readonly places: readonly PlaceColumns[];
}

/** A batch as it lies in its pack, `byBytes` from the pack's beginning. */
export function shiftFrames({ frames, held }: FrameBatch, byBytes: number): WrittenFrames {
  return { frames: { ...frames, offset: frames.offset.map((offset) => offset + byBytes) }, held };
}

/** Parts of a pack as one. */
export function joinFrames(parts: readonly WrittenFrames[]): WrittenFrames {
  const count = parts.reduce((sum, { frames }) => sum + frames.offset.length, 0);
  const frames = {
    offset: new Uint32Array(count),
    length: new Uint32Array(count),
    identity: new Uint32Array(count),
    pageCount: new Uint8Array(count),
  };
  const held = {
    window: new Uint32Array(count),
    maskLow: new Uint32Array(count),
    maskHigh: new Uint32Array(count),
  };
  let at = 0;
  for (const part of parts) {
    frames.offset.set(part.frames.offset, at);
    frames.length.set(part.frames.length, at);
    frames.identity.set(part.frames.identity, at);
    frames.pageCount.set(part.frames.pageCount, at);
    held.window.set(part.held.window, at);
    held.maskLow.set(part.held.maskLow, at);
    held.maskHigh.set(part.held.maskHigh, at);
    at += part.frames.offset.length;
  }
  return { frames, held };
}

/** `parts` in the order of their packs. */
export function mergeFrames(parts: readonly FramesOfPack[], spaceCount: number): MergedFrames {
  const count = parts.reduce((sum, { frames }) => sum + frames.offset.length, 0);
  const frames = {
    pack: new Uint32Array(count),
    offset: new Uint32Array(count),
    length: new Uint32Array(count),
    identity: new Uint32Array(count),
    pageCount: new Uint8Array(count),
  };
  let at = 0;
  const firstFrames = parts.map((part) => {
    const first = at;
    frames.pack.fill(part.pack, at, at + part.frames.offset.length);
    frames.offset.set(part.frames.offset, at);
    frames.length.set(part.frames.length, at);
    frames.identity.set(part.frames.identity, at);
    frames.pageCount.set(part.frames.pageCount, at);
    at += part.frames.offset.length;
    return first;
  });
  return {
    frames,
    places: Array.from({ length: spaceCount }, (_, space) =>
      placesOf(
        parts.flatMap((part, index) =>
          part.space === space ? [{ held: part.held, firstFrame: firstFrames[index] }] : [],
        ),
      ),
    ),
  };
}

function placesOf(
  parts: readonly { readonly held: FrameRequests; readonly firstFrame: number }[],
): PlaceColumns {
  const count = parts.reduce((sum, { held }) => sum + held.window.length, 0);
  const unsorted = emptyPlaces(count);
  let at = 0;
  for (const { held, firstFrame } of parts) {
    unsorted.window.set(held.window, at);
    unsorted.maskLow.set(held.maskLow, at);
    unsorted.maskHigh.set(held.maskHigh, at);
    for (let index = 0; index < held.window.length; index++) {
      unsorted.frame[at + index] = firstFrame + index;
    }
    at += held.window.length;
  }
  // Window and position as one float: sorted without a comparison function, and stable.
  const keys = Float64Array.from(unsorted.window, (window, index) => window * 2 ** 26 + index);
  keys.sort();
  const sorted = emptyPlaces(count);
  for (let index = 0; index < count; index++) {
    const from = keys[index] % 2 ** 26;
    sorted.window[index] = unsorted.window[from];
    sorted.maskLow[index] = unsorted.maskLow[from];
    sorted.maskHigh[index] = unsorted.maskHigh[from];
    sorted.frame[index] = unsorted.frame[from];
  }
  return sorted;
}

/** Each place is a frame of its own, so its pages begin with the frame's first. */
function emptyPlaces(count: number) {
  return {
    window: new Uint32Array(count),
    maskLow: new Uint32Array(count),
    maskHigh: new Uint32Array(count),
    frame: new Uint32Array(count),
    slot: new Uint8Array(count),
  };
}
