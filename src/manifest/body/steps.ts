// Columns as differences. What is mostly the value before and one more, or where the one before ended, becomes mostly zeroes.
// Differences wrap at the column's width, so every column comes back, whatever it holds.
import { packHeaderSizeBytes } from '../../pack/layout.js';
import { maskPageCount } from '../../pack/mask.js';
import type { PlaceColumns } from '../../pack/types.js';
import type { BodyFrames } from './types.js';

/** Each value less the one before. */
export function stepsOf(column: Uint32Array): Uint32Array {
  return column.map((value, index) => value - (index === 0 ? 0 : column[index - 1]));
}

export function sumsOf(steps: Uint32Array): Uint32Array {
  const column = new Uint32Array(steps.length);
  let value = 0;
  for (let index = 0; index < steps.length; index++) {
    value = (value + steps[index]) >>> 0;
    column[index] = value;
  }
  return column;
}

type FramePlaces = Pick<BodyFrames, 'pack' | 'offset' | 'length'>;

/** How far each frame begins behind the one before it in its pack, or behind the pack's header. */
export function gapsOf({ pack, offset, length }: FramePlaces): Uint32Array {
  return offset.map((value, frame) => value - expectedOffset(pack, offset, length, frame));
}

export function offsetsOf(
  { pack, length }: Pick<BodyFrames, 'pack' | 'length'>,
  gaps: Uint32Array,
): Uint32Array {
  const offset = new Uint32Array(gaps.length);
  for (let frame = 0; frame < gaps.length; frame++) {
    offset[frame] = gaps[frame] + expectedOffset(pack, offset, length, frame);
  }
  return offset;
}

function expectedOffset(
  pack: Uint32Array,
  offset: Uint32Array,
  length: Uint32Array,
  frame: number,
): number {
  return frame > 0 && pack[frame] === pack[frame - 1]
    ? offset[frame - 1] + length[frame - 1]
    : packHeaderSizeBytes;
}

/** How far each place's first page stands behind those of the place before in its frame, or behind the frame's first. */
export function slotStepsOf({ maskLow, maskHigh, frame, slot }: PlaceColumns): Uint8Array {
  return slot.map((value, place) => value - expectedSlot(maskLow, maskHigh, frame, slot, place));
}

export function slotsOf(
  { maskLow, maskHigh, frame }: Omit<PlaceColumns, 'slot' | 'window'>,
  steps: Uint8Array,
): Uint8Array {
  const slot = new Uint8Array(steps.length);
  for (let place = 0; place < steps.length; place++) {
    slot[place] = steps[place] + expectedSlot(maskLow, maskHigh, frame, slot, place);
  }
  return slot;
}

function expectedSlot(
  maskLow: Uint32Array,
  maskHigh: Uint32Array,
  frame: Uint32Array,
  slot: Uint8Array,
  place: number,
): number {
  return place > 0 && frame[place] === frame[place - 1]
    ? slot[place - 1] + maskPageCount(maskLow[place - 1], maskHigh[place - 1])
    : 0;
}
