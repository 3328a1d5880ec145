// zstd frames. A level is the writer's affair: all of them are read by the same codec.
import type { FrameCodec } from './codec.js';
import { defaultZstdLevel } from './codec-choice.js';
import { expectOneZstdFrame } from './zstd-frame.js';
import { zstdLibrary } from './zstd-library.js';

/** The codec that packs at a level, 1 to 19. */
export function zstdAt(level: number): FrameCodec {
  return {
    number: 2,
    payload: 'zstd frame',
    keepsSize: false,
    pack: (pages, into) => {
      const frame = zstdLibrary.compress(pages, level);
      if (frame.length >= pages.length) {
        return undefined;
      }
      into.set(frame);
      return frame.length;
    },
    unpack: (payload, into) => {
      expectOneZstdFrame(payload, into.length);
      const pages = zstdLibrary.decompress(payload, into.length);
      if (pages.length !== into.length) {
        throw new Error(`it gives ${pages.length} bytes, expected ${into.length}`);
      }
      into.set(pages);
    },
  };
}

export const zstd = zstdAt(defaultZstdLevel);
