// Pages in, frames out. Pure: a batch of raw pages becomes a batch of frames with the columns a manifest needs.
//
// Pages of zeroes are dropped here, where the bytes are in cache anyway: a page in no frame reads as zero. Each header is
// decoded again before the batch is handed out, so a mistake here is an error now and not a lost guest later.
import { crc32c } from '@node-rs/crc32';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import { packPages } from './codec/codecs.js';
import { decodeFrameHeader } from './decode.js';
import {
  frameField,
  frameHeaderSizeBytes,
  frameLayouts,
  frameMagic,
  packField,
  packHeaderSizeBytes,
  packMagic,
  packVersion,
  windowSizeBytes,
} from './layout.js';
import { maskHas, maskPageCount } from './mask.js';
import { hashPages } from './page-hash.js';
import { type FrameBatch, type PageBatch, windowPageCount } from './types.js';

const zeroPage = Buffer.alloc(pageSizeBytes);
/** Where the pages of one frame move together when zero pages fell out between them. Never seen outside a call. */
const compacted = Buffer.alloc(windowSizeBytes);

/** The first bytes of a pack file. */
export function encodePackHeader(): Uint8Array {
  const bytes = new Uint8Array(packHeaderSizeBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(packMagic, packField.magic);
  view.setUint16(packField.version, packVersion, true);
  view.setUint32(packField.crc, crc32c(bytes.subarray(0, packField.crc)), true);
  return bytes;
}

/**
 * Encodes pages into frames, in the order given. A requested frame whose pages are all zero yields none, so the result
 * may have fewer frames than were asked for. The result has an ArrayBuffer of its own; `batch.bytes` is left as it was.
 * A caller with many batches must let the event loop turn between them: lz4-napi frees its buffers only then.
 * Throws `usage` when `bytes` is not exactly the pages that the masks name.
 */
export function encodeFrames(batch: PageBatch): FrameBatch {
  const requested = batch.frames;
  const frameCount = requested.window.length;
  checkBatch(batch);
  const pages = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
  const out = outputScratch(frameCount * frameHeaderSizeBytes + pages.length);
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
  const hashes: Uint8Array[] = [];
  const mask = { low: 0, high: 0 };
  let written = 0;
  let pagesAt = 0;
  let outAt = 0;
  for (let index = 0; index < frameCount; index++) {
    mask.low = requested.maskLow[index];
    mask.high = requested.maskHigh[index];
    const requestedSize = maskPageCount(mask.low, mask.high) * pageSizeBytes;
    const content = dropZeroPages(pages.subarray(pagesAt, pagesAt + requestedSize), mask);
    pagesAt += requestedSize;
    if (content.length === 0) {
      continue;
    }

    const { sizeBytes, identity } = writeFrame(out, outAt, content);
    held.window[written] = requested.window[index];
    held.maskLow[written] = mask.low;
    held.maskHigh[written] = mask.high;
    frames.offset[written] = outAt;
    frames.length[written] = sizeBytes;
    frames.identity[written] = identity;
    frames.pageCount[written] = content.length / pageSizeBytes;
    hashes.push(hashPages(content));
    written++;
    outAt += sizeBytes;
  }
  return {
    bytes: new Uint8Array(out.subarray(0, outAt)),
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
    hashes: new Uint8Array(Buffer.concat(hashes)),
  };
}

let output = Buffer.alloc(0);

/** Frames are made here, at their worst size, and copied out at their true one. Never seen outside a call. */
function outputScratch(sizeBytes: number): Buffer {
  if (output.length < sizeBytes) {
    output = Buffer.allocUnsafeSlow(sizeBytes);
  }
  return output;
}

function checkBatch({ bytes, frames }: PageBatch): void {
  let pageCount = 0;
  for (let index = 0; index < frames.window.length; index++) {
    pageCount += maskPageCount(frames.maskLow[index], frames.maskHigh[index]);
  }
  if (bytes.length !== pageCount * pageSizeBytes) {
    throw new ParsError(
      'usage',
      `page batch: the masks name ${pageCount} pages, so ${pageCount * pageSizeBytes} bytes were expected, ` +
        `but ${bytes.length} were given`,
    );
  }
}

/**
 * Takes all-zero pages out of `mask` and returns the bytes of the rest: `pages` itself when there were none, otherwise
 * a view of the scratch buffer. memcmp with a zero page runs at memory speed, ten times a loop over a BigUint64Array;
 * looking at the first byte before it spares the call for most pages that hold something.
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
      if (kept === slot - 1) {
        pages.copy(compacted, 0, 0, start);
      }
      if (bit < 32) {
        mask.low = (mask.low & ~(1 << bit)) >>> 0;
      } else {
        mask.high = (mask.high & ~(1 << (bit - 32))) >>> 0;
      }
      continue;
    }
    if (kept !== slot - 1) {
      pages.copy(compacted, kept * pageSizeBytes, start, start + pageSizeBytes);
    }
    kept++;
  }
  return kept === slot ? pages : compacted.subarray(0, kept * pageSizeBytes);
}

/** Writes one frame at `at`. */
function writeFrame(
  out: Buffer,
  at: number,
  content: Buffer,
): { readonly sizeBytes: number; readonly identity: number } {
  const layout = frameLayouts[packVersion];
  const { codec, payload } = packPages(content);
  const payloadAt = at + layout.headerSizeBytes;
  payload.copy(out, payloadAt);

  out.writeUInt32LE(frameMagic, at + frameField.magic);
  out[at + layout.codec] = codec.number;
  out[at + layout.encryption] = 0;
  out.fill(0, at + layout.reserved, at + layout.reservedEnd);
  out.writeUInt32LE(payload.length, at + layout.storedSize);
  out.writeUInt32LE(content.length, at + layout.rawSize);
  const end = payloadAt + payload.length;
  out.writeUInt32LE(crc32c(out.subarray(at + frameField.covered, end)), at + frameField.crc);

  const { sizeBytes, rawSizeBytes, identity } = decodeFrameHeader(
    out.subarray(0, end),
    at,
    packVersion,
  );
  if (sizeBytes !== end - at || rawSizeBytes !== content.length) {
    throw new ParsError('corrupt', 'a frame to be written: its header does not read back');
  }
  return { sizeBytes, identity };
}
