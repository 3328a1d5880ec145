// Pages as they are: for those that nothing makes smaller.
import type { FrameCodec } from './codec.js';

export const raw: FrameCodec = {
  number: 0,
  payload: 'payload',
  keepsSize: true,
  pack: (pages) => pages,
  unpack: (bytes, payloadAt) => bytes.subarray(payloadAt),
};
