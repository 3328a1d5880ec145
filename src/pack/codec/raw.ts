// Pages as they are: for those that nothing makes smaller.
import type { FrameCodec } from './codec.js';

export const raw: FrameCodec = {
  number: 0,
  payload: 'payload',
  keepsSize: true,
  pack: (pages, into) => {
    into.set(pages);
    return pages.length;
  },
  unpack: (payload, into) => {
    into.set(payload);
  },
};
