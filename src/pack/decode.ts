// Pack bytes in, pages out, each step checked before the next relies on it: magic, sizes against limits and against the
// bytes at hand, CRC, then what the fields mean, then the size that comes out. No memory is taken before all but the
// last have passed. The CRC goes before codec and encryption so that a flipped bit is `corrupt` and never mistaken for
// a newer program's frame.
import { crc32c } from '@node-rs/crc32';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import { type Codec, codecByNumber, codecs, knownCodecs } from './codec/codecs.js';
import { pageWindow } from './codec/lz4/lz4.js';
import { identityOfV1 } from './frame-identity.js';
import {
  frameField,
  frameLayouts,
  frameMagic,
  frameV1Field,
  maxFramePageCount,
  packField,
  packHeaderSizeBytes,
  packMagic,
} from './layout.js';
import { maskPageCount } from './mask.js';
import { type PackHeader, type PackVersion, packVersions, type StoredFrames } from './types.js';

export interface FrameHeader {
  readonly codec: Codec;
  /** The length of the header and of the payload after it. */
  readonly sizeBytes: number;
  /** Bytes of payload after the header. */
  readonly storedSizeBytes: number;
  /** Bytes of pages. */
  readonly rawSizeBytes: number;
  /** As frame-identity.ts says. */
  readonly identity: number;
}

export interface Frame extends FrameHeader {
  /** A view of memory that the next frame uses too, or, of a raw frame, of the bytes it was decoded from. */
  readonly pages: Uint8Array;
}

const maxRawSizeBytes = maxFramePageCount * pageSizeBytes;

function corrupt(atBytes: number, problem: string): ParsError {
  return new ParsError('corrupt', `frame at byte ${atBytes}: ${problem}`);
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

/** Reads a pack's first 32 bytes. Throws `corrupt`, or `unsupported` for another version. */
export function decodePackHeader(bytes: Uint8Array): PackHeader {
  const fail = (problem: string) => new ParsError('corrupt', `pack header: ${problem}`);
  if (bytes.length < packHeaderSizeBytes) {
    throw fail(`expected ${packHeaderSizeBytes} bytes, found ${bytes.length}`);
  }
  if (packMagic.some((byte, index) => bytes[index] !== byte)) {
    throw fail('the first 8 bytes are not PARSPACK; this is no pack');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, packHeaderSizeBytes);
  const stated = view.getUint16(packField.version, true);
  const version = packVersions.find((known) => known === stated);
  if (version === undefined) {
    throw new ParsError(
      'unsupported',
      `pack header: found version ${stated} at byte ${packField.version}, this program reads ${packVersions.join(' and ')}; ` +
        'use the program that wrote the snapshot, or a newer one',
    );
  }
  const crc = view.getUint32(packField.crc, true);
  const computed = crc32c(bytes.subarray(0, packField.crc));
  if (crc !== computed) {
    throw fail(
      `its CRC32C at byte ${packField.crc} is ${hex(crc)}, its bytes give ${hex(computed)}`,
    );
  }
  // In version 1 two bytes say for people what the manifest says.
  const reservedAt = packField.reserved + (version === 1 ? 2 : 0);
  if (bytes.subarray(reservedAt, packField.crc).some((byte) => byte !== 0)) {
    throw fail(`reserved bytes from byte ${reservedAt} are not zero`);
  }
  return { version };
}

/**
 * Reads and checks the header of the frame at `atBytes`, payload and CRC included, without unpacking it. `originBytes`
 * is added to offsets in messages. Throws `corrupt`, or `unsupported` for a codec or an encryption not known here.
 */
export function decodeFrameHeader(
  bytes: Uint8Array,
  atBytes: number,
  version: PackVersion,
  originBytes = 0,
): FrameHeader {
  const { headerSizeBytes, storedSize, rawSize } = frameLayouts[version];
  const place = originBytes + atBytes;
  const leftBytes = bytes.length - atBytes;
  if (atBytes < 0 || leftBytes < headerSizeBytes) {
    throw corrupt(
      place,
      `expected a header of ${headerSizeBytes} bytes, found ${Math.max(leftBytes, 0)}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + atBytes, headerSizeBytes);
  const magic = view.getUint32(frameField.magic, true);
  if (magic !== frameMagic) {
    throw corrupt(place, `expected the magic ${hex(frameMagic)}, found ${hex(magic)}`);
  }
  const storedSizeBytes = view.getUint32(storedSize, true);
  const rawSizeBytes = view.getUint32(rawSize, true);
  if (rawSizeBytes === 0 || rawSizeBytes > maxRawSizeBytes || rawSizeBytes % pageSizeBytes !== 0) {
    throw corrupt(
      place,
      `expected 1 to ${maxRawSizeBytes / pageSizeBytes} pages of ${pageSizeBytes} bytes, found ${rawSizeBytes} bytes`,
    );
  }
  if (storedSizeBytes === 0 || storedSizeBytes > rawSizeBytes) {
    throw corrupt(
      place,
      `expected a payload of 1 to ${rawSizeBytes} bytes, found ${storedSizeBytes}`,
    );
  }
  if (storedSizeBytes > leftBytes - headerSizeBytes) {
    throw corrupt(
      place,
      `expected a payload of ${storedSizeBytes} bytes, only ${leftBytes - headerSizeBytes} are left`,
    );
  }
  const crc = view.getUint32(frameField.crc, true);
  const computed = crc32c(
    bytes.subarray(atBytes + frameField.covered, atBytes + headerSizeBytes + storedSizeBytes),
  );
  if (crc !== computed) {
    throw corrupt(place, `its CRC32C is ${hex(crc)}, its bytes give ${hex(computed)}`);
  }
  return checkMeaning(view, place, version, { storedSizeBytes, rawSizeBytes, crc });
}

interface CheckedSizes {
  readonly storedSizeBytes: number;
  readonly rawSizeBytes: number;
  readonly crc: number;
}

/** The fields of a frame whose bytes are known to be those that were written. */
function checkMeaning(
  view: DataView,
  place: number,
  version: PackVersion,
  { storedSizeBytes, rawSizeBytes, crc }: CheckedSizes,
): FrameHeader {
  const layout = frameLayouts[version];
  const codecNumber = view.getUint8(layout.codec);
  const codec = codecByNumber(codecNumber);
  if (codec === undefined) {
    throw new ParsError(
      'unsupported',
      `frame at byte ${place}: codec ${codecNumber} is not known here (known: ${knownCodecs}); use a newer program`,
    );
  }
  const encryption = view.getUint8(layout.encryption);
  if (encryption !== 0) {
    throw new ParsError(
      'unsupported',
      `frame at byte ${place}: encryption ${encryption} is not known here (known: 0, none); use a newer program`,
    );
  }
  for (let at = layout.reserved; at < layout.reservedEnd; at++) {
    const reserved = view.getUint8(at);
    if (reserved !== 0) {
      throw corrupt(place, `expected reserved byte ${at} to be 0, found ${reserved}`);
    }
  }
  if (codecs[codec].keepsSize !== (storedSizeBytes === rawSizeBytes)) {
    throw corrupt(
      place,
      `codec ${codec} stores ${storedSizeBytes} bytes for ${rawSizeBytes} bytes of pages`,
    );
  }
  return {
    codec,
    sizeBytes: layout.headerSizeBytes + storedSizeBytes,
    storedSizeBytes,
    rawSizeBytes,
    identity: version === 1 ? identityInV1(view, place, rawSizeBytes) : crc,
  };
}

function identityInV1(view: DataView, place: number, rawSizeBytes: number): number {
  const maskLow = view.getUint32(frameV1Field.maskLow, true);
  const maskHigh = view.getUint32(frameV1Field.maskHigh, true);
  const pageCount = maskPageCount(maskLow, maskHigh);
  if (pageCount * pageSizeBytes !== rawSizeBytes) {
    throw corrupt(
      place,
      `its mask names ${pageCount} pages, its raw size is ${rawSizeBytes} bytes`,
    );
  }
  const window = view.getUint32(frameV1Field.window, true);
  return identityOfV1(view.getUint8(frameV1Field.space), window, maskLow, maskHigh);
}

/** Decodes the frame at `atBytes`. Throws as `decodeFrameHeader` does, and `corrupt` when the payload does not unpack. */
export function decodeFrame(
  bytes: Uint8Array,
  atBytes: number,
  version: PackVersion,
  originBytes = 0,
): Frame {
  const header = decodeFrameHeader(bytes, atBytes, version, originBytes);
  const payloadAt = atBytes + frameLayouts[version].headerSizeBytes;
  const payload = bytes.subarray(payloadAt, payloadAt + header.storedSizeBytes);
  const codec = codecs[header.codec];
  if (codec.keepsSize) {
    return { ...header, pages: payload };
  }
  const pages = pageWindow(header.rawSizeBytes);
  try {
    codec.unpack(payload, pages);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw corrupt(originBytes + atBytes, `its ${codec.payload} does not unpack: ${reason}`);
  }
  return { ...header, pages };
}

/**
 * Decodes the wanted frames in the order of their columns; each must be the one that the manifest names. Throws as
 * `decodeFrame` does, with the pack's name and the offset within it. Pages are to be taken before the next frame is asked for.
 */
export function* decodeStoredFrames(stored: StoredFrames): Generator<Frame> {
  const { frames, bytes, startBytes, version } = stored;
  for (let index = 0; index < frames.offset.length; index++) {
    const offset = frames.offset[index];
    const length = frames.length[index];
    const at = offset - startBytes;
    if (at < 0 || at + length > bytes.length) {
      throw inPack(
        stored,
        corrupt(
          offset,
          `expected ${length} bytes, but bytes ${startBytes} to ${startBytes + bytes.length} of the pack were given`,
        ),
      );
    }
    let frame: Frame;
    try {
      frame = decodeFrame(bytes.subarray(0, at + length), at, version, startBytes);
    } catch (error) {
      throw inPack(stored, error);
    }
    checkIdentity(stored, index, frame);
    yield frame;
  }
}

function checkIdentity(stored: StoredFrames, index: number, frame: Frame): void {
  const { frames } = stored;
  const expected = {
    length: frames.length[index],
    pageCount: frames.pageCount[index],
    identity: frames.identity[index],
  };
  const found = {
    length: frame.sizeBytes,
    pageCount: frame.rawSizeBytes / pageSizeBytes,
    identity: frame.identity,
  };
  for (const field of ['length', 'pageCount', 'identity'] as const) {
    if (found[field] !== expected[field]) {
      throw inPack(
        stored,
        corrupt(
          frames.offset[index],
          `the manifest expects ${field} ${expected[field]}, the frame has ${found[field]}`,
        ),
      );
    }
  }
}

function inPack(stored: StoredFrames, error: unknown): unknown {
  return error instanceof ParsError
    ? new ParsError(error.code, `${stored.pack}: ${error.message}`, { cause: error })
    : error;
}

/** Decodes the wanted frames and keeps nothing of them. Returns the number of their pages. Throws as `decodeStoredFrames` does. */
export function checkStoredFrames(stored: StoredFrames): number {
  let pageCount = 0;
  for (const { rawSizeBytes } of decodeStoredFrames(stored)) {
    pageCount += rawSizeBytes / pageSizeBytes;
  }
  return pageCount;
}
