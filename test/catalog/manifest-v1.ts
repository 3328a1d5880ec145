// A manifest as version 1 wrote it, all in one file, for tests of what reads it: today's programs write none. Of RAM alone,
// with every place in a frame of its own, as it was then.
import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import { packValue } from '../../src/manifest/codec.js';
import {
  hashSizeBytes,
  headField,
  headSizeBytes,
  manifestMagic,
} from '../../src/manifest/layout.js';
import { bytesOfColumn } from '../../src/manifest/space/columns.js';
import type { Manifest } from '../../src/manifest/types.js';

export function manifestV1({ header, frames, spaces: [ram] }: Manifest): Uint8Array {
  const { id, vm, createdMs, requiredFeatures, packs, attachments, guest, evidence } = header;
  const { labelCounts, legend, imageSizeBytes } = header;
  const packedHeader = packValue({
    ...{ id, vm, createdMs, requiredFeatures, packs, attachments, guest, evidence },
    ...{ labelCounts, legend, imageSizeBytes },
  });
  const { window, maskLow, maskHigh, frame } = ram.places;
  const ofFrames = (column: Uint32Array) => bytesOfColumn(frame.map((index) => column[index]));
  const packedBody = packValue({
    spaces: [
      {
        name: ram.name,
        pageSizeBytes: ram.pageSizeBytes,
        regions: ram.regions,
        labelRunCount: ram.labelRuns.label.length,
        labelRuns: {
          label: ram.labelRuns.label,
          pageCount: bytesOfColumn(ram.labelRuns.pageCount),
        },
        frameCount: window.length,
        frames: {
          window: bytesOfColumn(window),
          maskLow: bytesOfColumn(maskLow),
          maskHigh: bytesOfColumn(maskHigh),
          offset: ofFrames(frames.offset),
          length: ofFrames(frames.length),
          pack: ofFrames(frames.pack),
        },
        pageHashes: null,
      },
    ],
  });
  const bytes = Buffer.alloc(
    headSizeBytes + packedHeader.length + packedBody.length + hashSizeBytes,
  );
  bytes.set(manifestMagic, headField.magic);
  bytes.writeUInt16LE(1, headField.version);
  bytes.writeUInt32LE(packedHeader.length, headField.headerSize);
  bytes.writeBigUInt64LE(BigInt(packedBody.length), headField.secondSize);
  bytes.set(packedHeader, headSizeBytes);
  bytes.set(packedBody, headSizeBytes + packedHeader.length);
  const headCrc = crc32c(bytes.subarray(0, headField.crc));
  bytes.writeUInt32LE(crc32c(packedHeader, headCrc), headField.crc);
  const hashAt = bytes.length - hashSizeBytes;
  bytes.set(createHash('sha256').update(bytes.subarray(0, hashAt)).digest(), hashAt);
  return bytes;
}
