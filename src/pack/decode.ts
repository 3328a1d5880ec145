// Pack bytes in, pages out, each step checked before the next relies on it: magic, sizes against limits and against the
// bytes at hand, CRC, then what the fields mean, then the size that comes out. No memory is taken before all but the
// last have passed. The CRC goes before codec and encryption so that a flipped bit is `corrupt` and never mistaken for
// a newer program's frame.
import { crc32c } from '@node-rs/crc32';
import { uncompressSync } from 'lz4-napi';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import {
  frameField,
  frameHeaderSizeBytes,
  frameMagic,
  maxReplication,
  packField,
  packHeaderSizeBytes,
  packMagic,
  packVersion,
  windowSizeBytes,
} from './layout.js';
import { maskPageCount } from './mask.js';
import { codecs, type Codec, type PackHeader, type StoredFrames } from './types.js';

export interface FrameHeader {
  readonly window: number;
  readonly maskLow: number;
  readonly maskHigh: number;
  readonly space: number;
  readonly codec: Codec;
  /** Bytes of payload after the header. */
  readonly storedSizeBytes: number;
  /** Bytes of pages: 4096 for each bit of the mask. */
  readonly rawSizeBytes: number;
}

export interface Frame extends FrameHeader {
  /** The pages, in the order of the mask's bits. A raw frame's are a view of the bytes it was decoded from. */
  readonly pages: Uint8Array;
}

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
  const version = view.getUint16(packField.version, true);
  if (version !== packVersion) {
    throw new ParsError(
      'unsupported',
      `pack header: found version ${version} at byte ${packField.version}, this program reads ${packVersion}; ` +
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
  if (bytes.subarray(packField.reserved, packField.crc).some((byte) => byte !== 0)) {
    throw fail(`reserved bytes from byte ${packField.reserved} are not zero`);
  }
  const replication = view.getUint8(packField.replication);
  if (replication < 1 || replication > maxReplication) {
    throw fail(`expected a replication of 1 to ${maxReplication}, found ${replication}`);
  }
  return { replication, space: view.getUint8(packField.space) };
}

/**
 * Reads and checks the header of the frame at `atBytes`, payload and CRC included, without unpacking it. `originBytes`
 * is added to offsets in messages. Throws `corrupt`, or `unsupported` for a codec or an encryption not known here.
 */
export function decodeFrameHeader(
  bytes: Uint8Array,
  atBytes: number,
  originBytes = 0,
): FrameHeader {
  const place = originBytes + atBytes;
  const leftBytes = bytes.length - atBytes;
  if (atBytes < 0 || leftBytes < frameHeaderSizeBytes) {
    throw corrupt(
      place,
      `expected a header of ${frameHeaderSizeBytes} bytes, found ${Math.max(leftBytes, 0)}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + atBytes, frameHeaderSizeBytes);
  const magic = view.getUint32(frameField.magic, true);
  if (magic !== frameMagic) {
    throw corrupt(place, `expected the magic ${hex(frameMagic)}, found ${hex(magic)}`);
  }
  const storedSizeBytes = view.getUint32(frameField.storedSize, true);
  const rawSizeBytes = view.getUint32(frameField.rawSize, true);
  if (rawSizeBytes === 0 || rawSizeBytes > windowSizeBytes || rawSizeBytes % pageSizeBytes !== 0) {
    throw corrupt(
      place,
      `expected 1 to ${windowSizeBytes / pageSizeBytes} pages of ${pageSizeBytes} bytes, found ${rawSizeBytes} bytes`,
    );
  }
  if (storedSizeBytes === 0 || storedSizeBytes > rawSizeBytes) {
    throw corrupt(
      place,
      `expected a payload of 1 to ${rawSizeBytes} bytes, found ${storedSizeBytes}`,
    );
  }
  if (storedSizeBytes > leftBytes - frameHeaderSizeBytes) {
    throw corrupt(
      place,
      `expected a payload of ${storedSizeBytes} bytes, only ${leftBytes - frameHeaderSizeBytes} are left`,
    );
  }
  const crc = view.getUint32(frameField.crc, true);
  const computed = crc32c(
    bytes.subarray(atBytes + frameField.window, atBytes + frameHeaderSizeBytes + storedSizeBytes),
  );
  if (crc !== computed) {
    throw corrupt(place, `its CRC32C is ${hex(crc)}, its bytes give ${hex(computed)}`);
  }
  return checkMeaning(view, place, storedSizeBytes, rawSizeBytes);
}

/** The fields of a frame whose bytes are known to be those that were written. */
function checkMeaning(
  view: DataView,
  place: number,
  storedSizeBytes: number,
  rawSizeBytes: number,
): FrameHeader {
  const codecNumber = view.getUint8(frameField.codec);
  const codec = codecByNumber(codecNumber);
  if (codec === undefined) {
    throw new ParsError(
      'unsupported',
      `frame at byte ${place}: codec ${codecNumber} is not known here (known: ${knownCodecs}); use a newer program`,
    );
  }
  const encryption = view.getUint8(frameField.encryption);
  if (encryption !== 0) {
    throw new ParsError(
      'unsupported',
      `frame at byte ${place}: encryption ${encryption} is not known here (known: 0, none); use a newer program`,
    );
  }
  const reserved = view.getUint8(frameField.reserved);
  if (reserved !== 0) {
    throw corrupt(place, `expected the reserved byte to be 0, found ${reserved}`);
  }
  const maskLow = view.getUint32(frameField.maskLow, true);
  const maskHigh = view.getUint32(frameField.maskHigh, true);
  const pageCount = maskPageCount(maskLow, maskHigh);
  if (pageCount * pageSizeBytes !== rawSizeBytes) {
    throw corrupt(
      place,
      `its mask names ${pageCount} pages, its raw size is ${rawSizeBytes} bytes`,
    );
  }
  if (codec === 'raw' ? storedSizeBytes !== rawSizeBytes : storedSizeBytes === rawSizeBytes) {
    throw corrupt(
      place,
      `codec ${codec} stores ${storedSizeBytes} bytes for ${rawSizeBytes} bytes of pages`,
    );
  }
  return {
    window: view.getUint32(frameField.window, true),
    maskLow,
    maskHigh,
    space: view.getUint8(frameField.space),
    codec,
    storedSizeBytes,
    rawSizeBytes,
  };
}

const knownCodecs = Object.entries(codecs)
  .map(([name, number]) => `${number}, ${name}`)
  .join('; ');

function codecByNumber(number: number): Codec | undefined {
  return number === codecs.raw ? 'raw' : number === codecs.lz4 ? 'lz4' : undefined;
}

/** Decodes the frame at `atBytes`. Throws as `decodeFrameHeader` does, and `corrupt` when the payload does not unpack. */
export function decodeFrame(bytes: Uint8Array, atBytes: number, originBytes = 0): Frame {
  const header = decodeFrameHeader(bytes, atBytes, originBytes);
  const payloadAt = atBytes + frameHeaderSizeBytes;
  const end = payloadAt + header.storedSizeBytes;
  if (header.codec === 'raw') return { ...header, pages: bytes.subarray(payloadAt, end) };
  let pages: Uint8Array;
  try {
    // Begins at the raw size, which lz4-napi takes as the amount of memory to take: it has been checked above.
    pages = uncompressSync(bytes.subarray(atBytes + frameField.rawSize, end));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw corrupt(originBytes + atBytes, `its LZ4 block does not unpack: ${reason}`);
  }
  if (pages.length !== header.rawSizeBytes) {
    throw corrupt(
      originBytes + atBytes,
      `its LZ4 block unpacks to ${pages.length} bytes, expected ${header.rawSizeBytes}`,
    );
  }
  return { ...header, pages };
}

/**
 * Decodes the wanted frames in the order of their columns; each must be the one that the manifest names. Throws as
 * `decodeFrame` does, with the pack's name and the offset within it.
 */
export function* decodeStoredFrames(stored: StoredFrames): Generator<Frame> {
  const { frames, bytes, startBytes } = stored;
  for (let index = 0; index < frames.window.length; index++) {
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
      frame = decodeFrame(bytes.subarray(0, at + length), at, startBytes);
    } catch (error) {
      throw inPack(stored, error);
    }
    checkIdentity(stored, index, frame);
    yield frame;
  }
}

/** A frame may be whole and still be the wrong one, as when a pack was replaced by another. */
function checkIdentity(stored: StoredFrames, index: number, frame: Frame): void {
  const { frames } = stored;
  const expected = {
    space: stored.space,
    window: frames.window[index],
    maskLow: frames.maskLow[index],
    maskHigh: frames.maskHigh[index],
    length: frames.length[index],
  };
  const found = { ...frame, length: frameHeaderSizeBytes + frame.storedSizeBytes };
  for (const field of ['space', 'window', 'maskLow', 'maskHigh', 'length'] as const) {
    if (found[field] !== expected[field]) {
      throw inPack(
        stored,
        corrupt(
          frames.offset[index],
          `the manifest expects ${field} ${expected[field]}, the frame says ${found[field]}`,
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

/** The pages of all wanted frames, one after the other. Throws as `decodeStoredFrames` does. */
export function decodePages(stored: StoredFrames): Uint8Array {
  const { frames } = stored;
  let pageCount = 0;
  for (let index = 0; index < frames.window.length; index++) {
    pageCount += maskPageCount(frames.maskLow[index], frames.maskHigh[index]);
  }
  // At most 64 pages a frame, whatever the masks say: bounded by the columns' length.
  const pages = new Uint8Array(pageCount * pageSizeBytes);
  let at = 0;
  for (const frame of decodeStoredFrames(stored)) {
    pages.set(frame.pages, at);
    at += frame.pages.length;
  }
  return pages;
}
