// The codecs of frames that are read, and which of them a frame is written with.
import type { FrameCodec } from './codec.js';
import { lz4 } from './lz4/lz4.js';
import { raw } from './raw.js';

export const codecs = { raw, lz4 } as const satisfies Record<string, FrameCodec>;
export type Codec = keyof typeof codecs;

const names = Object.keys(codecs) as Codec[];

/** All numbers with their names, for an error: `0, raw; 1, lz4`. */
export const knownCodecs = names.map((name) => `${codecs[name].number}, ${name}`).join('; ');

/** The codec that a frame's header names, undefined for one that is not known here. */
export function codecByNumber(number: number): Codec | undefined {
  return names.find((name) => codecs[name].number === number);
}

/** What a frame's pages became: the codec, and the bytes of payload. */
export interface Packed {
  readonly codec: FrameCodec;
  readonly sizeBytes: number;
}

/** Writes the payload of a frame to `into`, which is as long as `pages`: by LZ4 where that makes them smaller. */
export function packPages(pages: Uint8Array, into: Uint8Array): Packed {
  const sizeBytes = lz4.pack(pages, into);
  if (sizeBytes !== undefined) {
    return { codec: lz4, sizeBytes };
  }
  into.set(pages);
  return { codec: raw, sizeBytes: pages.length };
}
