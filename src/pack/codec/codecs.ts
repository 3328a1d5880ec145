// The codecs of frames that are read, by their numbers.
import type { FrameCodec } from './codec.js';
import { lz4 } from './lz4/lz4.js';
import { raw } from './raw.js';
import { zstd } from './zstd.js';

export const codecs = { raw, lz4, zstd } as const satisfies Record<string, FrameCodec>;
export type Codec = keyof typeof codecs;

const names = Object.keys(codecs) as Codec[];

/** All numbers with their names, for an error: `0, raw; 1, lz4`. */
export const knownCodecs = names.map((name) => `${codecs[name].number}, ${name}`).join('; ');

/** The codec that a frame's header names, undefined for one that is not known here. */
export function codecByNumber(number: number): Codec | undefined {
  return names.find((name) => codecs[name].number === number);
}
