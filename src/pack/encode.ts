// Pages in, frames out: a batch of raw pages becomes a batch of frames with the columns a manifest needs. No memory is made for
// their bytes: pages pass through the window of the thread, and frames come to lie where the caller has room for them.
//
// Pages of zeroes are dropped here, where the bytes are in cache anyway: a page in no frame reads as zero.
import { crc32c } from '@node-rs/crc32';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import type { FrameMethod } from './codec/codec-choice.js';
import { pageWindow } from './codec/lz4/lz4.js';
import { type PackingTally, packPages } from './codec/pack-pages.js';
import {
  frameField,
  frameHeaderSizeBytes,
  frameLayouts,
  frameMagic,
  packField,
  packHeaderSizeBytes,
  packMagic,
  packVersion,
} from './layout.js';
import { maskHas, maskPageCount } from './mask.js';
import { hashPages, pageHashBytes } from './page-hash.js';
import { requestedSizeBytes } from './read-pages.js';
import { type FrameBatch, type FrameRequests, windowPageCount } from './types.js';

const zeroPage = Buffer.alloc(pageSizeBytes);

/** The first bytes of a pack file. */
export function encodePackHeader(): Uint8Array {
  const bytes = new Uint8Array(packHeaderSizeBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(packMagic, packField.magic);
  view.setUint16(packField.version, packVersion, true);
  view.setUint32(packField.crc, crc32c(bytes.subarray(0, packField.crc)), true);
  return bytes;
}

/** Bytes that the frames of a batch take at most, where nothing shrinks. */
export function framesRoomBytes(requested: FrameRequests): number {
  return requestedSizeBytes(requested) + requested.window.length * frameHeaderSizeBytes;
}

/**
 * Encodes pages into frames, in the order given, to the beginning of `into`; the result has a view of it. A requested frame whose
 * pages are all zero yields none, so the result may have fewer frames than were asked for. `read` fills its second argument with
 * the pages of the frame of that index, which may lie in `into`, no nearer to its beginning than all headers are long: each is
 * read before anything is written there. Each frame is packed by whichever of the methods makes the least of it. Throws `usage`
 * when `into` is shorter than `framesRoomBytes`, and what `read` throws.
 */
export function encodeFrames(
  requested: FrameRequests,
  into: Uint8Array,
  read: (index: number, pages: Buffer) => void,
  methods: readonly FrameMethod[],
): FrameBatch {
  const startMs = performance.now();
  const roomBytes = framesRoomBytes(requested);
  if (into.length < roomBytes) {
    throw new ParsError(
      'usage',
      `page batch: its frames may take ${roomBytes} bytes, but there is room for ${into.length}`,
    );
  }
  const out = Buffer.from(into.buffer, into.byteOffset, roomBytes);
  const frameCount = requested.window.length;
  const frames = {
    offset: new Uint32Array(frameCount),
    length: new Uint32Array(frameCount),
    identity: new Uint32Array(frameCount),
    pageCount: new Uint8Array(frameCount),
  };
  const held = {
    window: new Uint32Array(frameCount),
    maskLow: new Uint32Array(frameCount),
    maskHigh: new Uint32Array(frameCount),
  };
  const hashes = new Uint8Array((requestedSizeBytes(requested) / pageSizeBytes) * pageHashBytes);
  const mask = { low: 0, high: 0 };
  const tally: PackingTally = { storedBytes: 0, lz4Bytes: 0, zstdSeconds: 0 };
  let written = 0;
  let hashesAt = 0;
  let outAt = 0;
  for (let index = 0; index < frameCount; index++) {
    mask.low = requested.maskLow[index];
    mask.high = requested.maskHigh[index];
    const pages = pageWindow(maskPageCount(mask.low, mask.high) * pageSizeBytes);
    read(index, pages);
    const content = dropZeroPages(pages, mask);
    if (content.length === 0) {
      continue;
    }

    hashPages(content, hashes.subarray(hashesAt));
    const { sizeBytes, identity } = writeFrame(out, outAt, content, methods, tally);
    const pageCount = content.length / pageSizeBytes;
    held.window[written] = requested.window[index];
    held.maskLow[written] = mask.low;
    held.maskHigh[written] = mask.high;
    frames.offset[written] = outAt;
    frames.length[written] = sizeBytes;
    frames.identity[written] = identity;
    frames.pageCount[written] = pageCount;
    hashesAt += pageCount * pageHashBytes;
    written++;
    outAt += sizeBytes;
  }
  return {
    bytes: into.subarray(0, outAt),
    frames: {
      offset: frames.offset.slice(0, written),
      length: frames.length.slice(0, written),
      identity: frames.identity.slice(0, written),
      pageCount: frames.pageCount.slice(0, written),
    },
    held: {
      window: held.window.slice(0, written),
      maskLow: held.maskLow.slice(0, written),
      maskHigh: held.maskHigh.slice(0, written),
    },
    hashes: hashes.slice(0, hashesAt),
    packing: { ...tally, seconds: (performance.now() - startMs) / 1000 },
  };
}

/**
 * Takes all-zero pages out of `mask`, moves the rest together, and returns these. memcmp with a zero page runs at memory speed,
 * ten times a loop over a BigUint64Array; looking at the first byte before it spares the call for most pages that hold something.
 */
function dropZeroPages(pages: Buffer, mask: { low: number; high: number }): Buffer {
  const { low, high } = mask;
  let kept = 0;
  let slot = 0;
  for (let bit = 0; bit < windowPageCount; bit++) {
    if (!maskHas(low, high, bit)) {
      continue;
    }
    const start = slot * pageSizeBytes;
    slot++;
    if (
      pages[start] === 0 &&
      pages.compare(zeroPage, 0, pageSizeBytes, start, start + pageSizeBytes) === 0
    ) {
      if (bit < 32) {
        mask.low = (mask.low & ~(1 << bit)) >>> 0;
      } else {
        mask.high = (mask.high & ~(1 << (bit - 32))) >>> 0;
      }
      continue;
    }
    if (kept !== slot - 1) {
      pages.copyWithin(kept * pageSizeBytes, start, start + pageSizeBytes);
    }
    kept++;
  }
  return pages.subarray(0, kept * pageSizeBytes);
}

/** Writes one frame at `at`. */
function writeFrame(
  out: Buffer,
  at: number,
  content: Buffer,
  methods: readonly FrameMethod[],
  tally: PackingTally,
): { readonly sizeBytes: number; readonly identity: number } {
  const layout = frameLayouts[packVersion];
  const payloadAt = at + layout.headerSizeBytes;
  const room = out.subarray(payloadAt, payloadAt + content.length);
  const packed = packPages(content, room, methods, tally);

  out.writeUInt32LE(frameMagic, at + frameField.magic);
  out[at + layout.codec] = packed.codec.number;
  out[at + layout.encryption] = 0;
  out.fill(0, at + layout.reserved, at + layout.reservedEnd);
  out.writeUInt32LE(packed.sizeBytes, at + layout.storedSize);
  out.writeUInt32LE(content.length, at + layout.rawSize);
  const end = payloadAt + packed.sizeBytes;
  // In this version the CRC is what a manifest knows the frame by (frame-identity.ts).
  const identity = crc32c(out.subarray(at + frameField.covered, end));
  out.writeUInt32LE(identity, at + frameField.crc);
  return { sizeBytes: end - at, identity };
}
