// Frames of all packs as the manifest wants them: one set of columns, ascending by window.
import type { AddressSpace } from '../manifest/types.js';
import type { FrameColumns } from '../pack/types.js';

type SpaceFrames = AddressSpace['frames'];

/** `parts` in the order of their packs; those of one pack ascend by window already. */
export function mergeFrames(
  parts: readonly { readonly pack: number; readonly columns: FrameColumns }[],
): SpaceFrames {
  const count = parts.reduce((sum, { columns }) => sum + columns.window.length, 0);
  const unsorted = emptyFrames(count);
  let at = 0;
  for (const { pack, columns } of parts) {
    unsorted.window.set(columns.window, at);
    unsorted.maskLow.set(columns.maskLow, at);
    unsorted.maskHigh.set(columns.maskHigh, at);
    unsorted.offset.set(columns.offset, at);
    unsorted.length.set(columns.length, at);
    unsorted.pack.fill(pack, at, at + columns.window.length);
    at += columns.window.length;
  }
  // Window and position as one float: sorted without a comparison function, and stable.
  const keys = Float64Array.from(unsorted.window, (window, index) => window * 2 ** 26 + index);
  keys.sort();
  const sorted = emptyFrames(count);
  for (let index = 0; index < count; index++) {
    const from = keys[index] % 2 ** 26;
    sorted.window[index] = unsorted.window[from];
    sorted.maskLow[index] = unsorted.maskLow[from];
    sorted.maskHigh[index] = unsorted.maskHigh[from];
    sorted.offset[index] = unsorted.offset[from];
    sorted.length[index] = unsorted.length[from];
    sorted.pack[index] = unsorted.pack[from];
  }
  return sorted;
}

function emptyFrames(count: number) {
  return {
    window: new Uint32Array(count),
    maskLow: new Uint32Array(count),
    maskHigh: new Uint32Array(count),
    offset: new Uint32Array(count),
    length: new Uint32Array(count),
    pack: new Uint32Array(count),
  };
}
