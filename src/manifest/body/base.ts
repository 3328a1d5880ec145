// All of a snapshot as a body: what it says of itself, with the frames in the order of their packs.
import type { AddressSpace, Manifest, SnapshotFrames } from '../types.js';
import { pickSnapshotFrames } from '../used-frames.js';
import type { Body, BodyFrames } from './types.js';

export function baseOf({
  header,
  frames,
  spaces,
}: Omit<Manifest, 'header'> & {
  readonly header: Pick<Manifest['header'], 'packs'>;
}): Body {
  const order = inPackOrder(frames);
  const { bodyFrames, packNames } = bodyFramesOf(frames, order, header.packs);
  const newIndex = new Uint32Array(order.length);
  order.forEach((frame, index) => {
    newIndex[frame] = index;
  });
  return {
    kind: 'base',
    packNames,
    frames: bodyFrames,
    spaces: spaces.map((space) => ({ is: 'whole', space: renumberedSpace(space, newIndex) })),
  };
}

/** Indices of the frames, by pack and offset. */
export function inPackOrder({
  pack,
  offset,
}: Pick<SnapshotFrames, 'pack' | 'offset'>): Uint32Array {
  // Mostly they are so already, and a sort by a function of so many takes a second.
  const order = Uint32Array.from({ length: pack.length }, (_, frame) => frame);
  const isSorted = order.every(
    (frame) =>
      frame === 0 ||
      pack[frame - 1] < pack[frame] ||
      (pack[frame - 1] === pack[frame] && offset[frame - 1] < offset[frame]),
  );
  return isSorted ? order : order.sort((a, b) => pack[a] - pack[b] || offset[a] - offset[b]);
}

/** The frames of these indices, which name their packs among those that they lie in. */
export function bodyFramesOf(
  frames: SnapshotFrames,
  indices: Uint32Array,
  packs: Manifest['header']['packs'],
): { readonly bodyFrames: BodyFrames; readonly packNames: readonly string[] } {
  const picked = pickSnapshotFrames(frames, indices);
  const used = [...new Set(picked.pack)];
  const placeOf = new Map(used.map((pack, place) => [pack, place]));
  return {
    packNames: used.map((pack) => packs[pack].name),
    bodyFrames: { ...picked, pack: picked.pack.map((pack) => placeOf.get(pack) ?? 0) },
  };
}

/** `newIndex`: of each frame, by its place before. */
export function renumberedSpace(space: AddressSpace, newIndex: Uint32Array): AddressSpace {
  const frame = new Uint32Array(space.places.frame.length);
  for (let place = 0; place < frame.length; place++) {
    frame[place] = newIndex[space.places.frame[place]];
  }
  return { ...space, places: { ...space.places, frame } };
}
