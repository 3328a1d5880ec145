// What a person may ask for: how the frames of a snapshot are packed. Readers need not be told, since each frame says its codec.

/** What a frame may be packed by, `zstd:3` at level 3. */
export type FrameMethod = 'lz4' | `zstd:${number}`;

/**
 * `auto` chooses between lz4 and zstd by how fast the store takes what the threads make (auto-codec.ts), and stores no frame in
 * more than lz4 takes. `raw` packs nothing.
 */
export type CodecChoice = 'auto' | 'raw' | FrameMethod;

export const defaultZstdLevel = 3;
/** Beyond, a frame gains nothing: its window is the frame, of 256 KiB at most. */
const maxZstdLevel = 19;
export const codecForm = `auto, raw, lz4, zstd or zstd:LEVEL, a level from 1 to ${maxZstdLevel}`;

/** Undefined for what is none of `codecForm`. */
export function parseCodecChoice(text: string): CodecChoice | undefined {
  if (text === 'auto' || text === 'raw' || text === 'lz4') {
    return text;
  }
  if (text === 'zstd') {
    return `zstd:${defaultZstdLevel}`;
  }
  const level = Number(/^zstd:([1-9]\d?)$/.exec(text)?.[1]);
  return level <= maxZstdLevel ? `zstd:${level}` : undefined;
}
