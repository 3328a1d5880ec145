// The outline of a zstd frame (RFC 8878, 3.1.1), looked at before a library sees it. Libraries read more than a payload may be:
// frames that follow each other, frames to be skipped, dictionaries, windows of their own, and bytes behind the last frame,
// some of which they pass over in silence. What is let through is one frame, complete, as large as its pages.
//
//   magic (4) | descriptor (1) | content size (1, 2, 4 or 8) | block | block | ...
//   block:    last (1 bit), kind (2 bits), size (21 bits), then its bytes

const magic = 0xfd2fb528;

const descriptorAt = 4;
const contentSizeAt = 5;
/** In the descriptor: how long the content size is, and that no window is stated, since the whole content is the window. */
const contentSizeShift = 6;
const singleSegment = 0x20;
/** The rest of the descriptor, which means a dictionary, a checksum, or nothing yet. */
const refusedBits = 0x1f;

const blockHeaderBytes = 3;
/** A block gives at most so many bytes. */
const maxBlockBytes = 128 * 1024;
/** A block of one byte, which stands for as many as its size says. */
const repeatedByte = 1;
const reservedKind = 3;

/** Throws when `payload` is anything but one zstd frame for `contentBytes` bytes, without dictionary and checksum. */
export function expectOneZstdFrame(payload: Uint8Array, contentBytes: number): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  if (payload.length < contentSizeAt || view.getUint32(0, true) !== magic) {
    throw new Error('it does not begin as a zstd frame does');
  }
  const descriptor = view.getUint8(descriptorAt);
  if ((descriptor & singleSegment) === 0 || (descriptor & refusedBits) !== 0) {
    throw new Error(
      `expected a single segment without dictionary and checksum, found the frame header descriptor ${descriptor}`,
    );
  }
  const firstBlockAt = contentSizeAt + (1 << (descriptor >> contentSizeShift));
  if (payload.length < firstBlockAt) {
    throw new Error('it ends within the header of its zstd frame');
  }
  const statedBytes = contentSizeOf(view, descriptor >> contentSizeShift);
  if (statedBytes !== BigInt(contentBytes)) {
    throw new Error(`its zstd frame holds ${statedBytes} bytes, expected ${contentBytes}`);
  }
  const endAt = endOfBlocks(view, firstBlockAt, Math.min(contentBytes, maxBlockBytes));
  if (endAt !== payload.length) {
    throw new Error(`its zstd frame ends at byte ${endAt} of ${payload.length}`);
  }
}

function contentSizeOf(view: DataView, sizeFlag: number): bigint {
  switch (sizeFlag) {
    case 0:
      return BigInt(view.getUint8(contentSizeAt));
    case 1:
      // The one that counts from its smallest.
      return BigInt(view.getUint16(contentSizeAt, true) + 256);
    case 2:
      return BigInt(view.getUint32(contentSizeAt, true));
    default:
      return view.getBigUint64(contentSizeAt, true);
  }
}

/** Where the last block ends, which may be behind the payload. */
function endOfBlocks(view: DataView, firstBlockAt: number, largestBytes: number): number {
  for (let at = firstBlockAt; ;) {
    if (at + blockHeaderBytes > view.byteLength) {
      throw new Error(`its zstd frame lacks a last block`);
    }
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const kind = (header >> 1) & 3;
    const sizeBytes = header >> 3;
    if (kind === reservedKind || sizeBytes > largestBytes) {
      throw new Error(
        `its zstd frame has a block of kind ${kind} and ${sizeBytes} bytes at byte ${at}`,
      );
    }
    at += blockHeaderBytes + (kind === repeatedByte ? 1 : sizeBytes);
    if ((header & 1) === 1) {
      return at;
    }
  }
}
