// All of a snapshot as a body: what it says of itself, with the frames in the order of their packs.
import type { AddressSpace, Manifest, SnapshotFrames } from '../types.js';
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
    spaces: spaces.map((space) => ({ is: 'whole', space: renumbered(space, newIndex) })),
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
  const used = [...new Set(indices.map((frame) => frames.pack[frame]))];
  const placeOf = new Map(used.map((pack, place) => [pack, place]));
  const pick = (column: Uint32Array): Uint32Array => indices.map((frame) => column[frame]);
  return {
    packNames: used.map((pack) => packs[pack].name),
    bodyFrames: {
      pack: indices.map((frame) => placeOf.get(frames.pack[frame]) ?? 0),
      offset: pick(frames.offset),
      length: pick(frames.length),
      identity: pick(frames.identity),
      pageCount: Uint8Array.from(indices, (frame) => frames.pageCount[frame]),
    },
  };
}

function renumbered(space: AddressSpace, newIndex: Uint32Array): AddressSpace {
  const frame = space.places.frame.map((old) => newIndex[old]);
  return { ...space, places: { ...space.places, frame } };
}
