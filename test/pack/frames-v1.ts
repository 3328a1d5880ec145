// What version 1 wrote, for tests of reading it: the payloads of frames as they are, behind headers that say which pages of
// which space each holds. golden.test.ts holds it against what a program of version 1 did write.
import { crc32c } from '@node-rs/crc32';
import { identityOfV1 } from '../../src/pack/frame-identity.js';
import {
  frameField,
  frameLayouts,
  frameMagic,
  frameV1Field,
  packField,
  packHeaderSizeBytes,
  packMagic,
} from '../../src/pack/layout.js';
import { maskPageCount } from '../../src/pack/mask.js';
import type { FrameBatch, FrameColumns, FrameRequests } from '../../src/pack/types.js';

export function packHeaderV1(header: {
  readonly replication: number;
  readonly space: number;
}): Uint8Array {
  const bytes = Buffer.alloc(packHeaderSizeBytes);
  bytes.set(packMagic, packField.magic);
  bytes.writeUInt16LE(1, packField.version);
  bytes[10] = header.replication;
  bytes[11] = header.space;
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, packField.crc)), packField.crc);
  return new Uint8Array(bytes);
}

/** The frames of a batch as version 1 has them, with the same payloads. */
export function batchV1(
  { frames, held, bytes }: FrameBatch,
  space: number,
): { readonly frames: FrameColumns; readonly bytes: Uint8Array } {
  const written = Array.from(frames.offset, (offset, frame) =>
    frameV1(bytes.subarray(offset, offset + frames.length[frame]), held, frame, space),
  );
  let end = 0;
  const offset = Uint32Array.from(written, ({ length }) => (end += length) - length);
  return {
    frames: {
      offset,
      length: Uint32Array.from(written, ({ length }) => length),
      ...namedInV1(held, space),
    },
    bytes: new Uint8Array(Buffer.concat(written)),
  };
}

/** What a reader expects of frames that a version 1 manifest names by their pages. */
export function namedInV1(
  { window, maskLow, maskHigh }: FrameRequests,
  space: number,
): Pick<FrameColumns, 'identity' | 'pageCount'> {
  return {
    identity: window.map((value, frame) =>
      identityOfV1(space, value, maskLow[frame], maskHigh[frame]),
    ),
    pageCount: Uint8Array.from(window, (_, frame) =>
      maskPageCount(maskLow[frame], maskHigh[frame]),
    ),
  };
}

function frameV1(
  frame: Uint8Array,
  { window, maskLow, maskHigh }: FrameRequests,
  index: number,
  space: number,
): Buffer {
  const [from, to] = [frameLayouts[2], frameLayouts[1]];
  const source = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  const payload = source.subarray(from.headerSizeBytes);
  const bytes = Buffer.concat([Buffer.alloc(to.headerSizeBytes), payload]);
  bytes.writeUInt32LE(frameMagic, frameField.magic);
  bytes.writeUInt32LE(window[index], frameV1Field.window);
  bytes[to.codec] = source[from.codec];
  bytes[frameV1Field.space] = space;
  bytes.writeUInt32LE(maskLow[index], frameV1Field.maskLow);
  bytes.writeUInt32LE(maskHigh[index], frameV1Field.maskHigh);
  bytes.writeUInt32LE(payload.length, to.storedSize);
  bytes.writeUInt32LE(source.readUInt32LE(from.rawSize), to.rawSize);
  bytes.writeUInt32LE(crc32c(bytes.subarray(frameField.covered)), frameField.crc);
  return bytes;
}
