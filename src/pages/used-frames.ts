// Which frames of a snapshot the pages of some spaces lie in.
import type { AddressSpace, SnapshotFrames } from '../manifest/types.js';

/** Indices of the frames, ascending. */
export function usedFrames(
  { pack }: Pick<SnapshotFrames, 'pack'>,
  spaces: readonly Pick<AddressSpace, 'places'>[],
): Uint32Array {
  const isUsed = new Uint8Array(pack.length);
  for (const { places } of spaces) for (const frame of places.frame) isUsed[frame] = 1;
  const frames = new Uint32Array(isUsed.reduce((sum, used) => sum + used, 0));
  let at = 0;
  isUsed.forEach((used, frame) => {
    if (used === 1) frames[at++] = frame;
  });
  return frames;
}

/** Bytes of these frames in their packs. */
export function framesSizeBytes({ length }: Pick<SnapshotFrames, 'length'>, frames: Uint32Array) {
  return frames.reduce((sum, frame) => sum + length[frame], 0);
}
