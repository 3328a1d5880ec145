// A stream without the guest's memory: a migration stream itself, as QEMU could load it, some hundred kilobytes long.
//
//   head, configuration, list of blocks | a section with the pages of the other blocks | end | devices, description
//
// It is what a snapshot keeps beside the pages. The guest's pages go in behind the list of blocks (src/restore/output/
// rebuild-stream.ts), and the stream is whole again; every page stands in it once, in ascending order.
import type { ImageFile } from '../image-file.js';
import type { ImageState } from '../memory-image.js';
import {
  type BlockPages,
  encodeCapabilities,
  encodeRamEnd,
  encodeRamPart,
  encodeRamStart,
  ramPartSizeBytes,
} from './encode.js';
import { guestRamOf } from './main-ram.js';
import type { Configuration, FileRange, MigrationStream, RamBlock } from './types.js';

const copySizeBytes = 2 ** 20;

export type SkeletonPiece = Uint8Array | FileRange;

/** `prefix` is put before the stream, as libvirt does. */
export function skeletonOf(
  file: ImageFile,
  stream: MigrationStream,
  prefix: readonly SkeletonPiece[],
): ImageState {
  const guestRam = guestRamOf(stream.blocks);
  const others = stream.blocks
    .filter((block) => !guestRam.includes(block))
    .map((block) => pagesOf(file, block));
  const before = [...prefix, ...headPieces(stream)];
  const after = [
    ...stream.commands,
    ...(stream.hasEndSection ? [encodeRamEnd(stream)] : []),
    stream.rest,
  ];
  const fixedBytes = [...before, ...after].reduce((sum, piece) => sum + sizeOf(piece), 0);
  return {
    sizeBytes: fixedBytes + ramPartSizeBytes(stream, others),
    *content() {
      yield* contentOf(file, before);
      yield* encodeRamPart(stream, others);
      yield* contentOf(file, after);
    },
  };
}

function pagesOf(file: ImageFile, { name, sizeBytes, places }: RamBlock): BlockPages {
  return {
    name,
    sizeBytes,
    isZero: (page) => places.placeOf(page) === 0,
    read: (page, target) => {
      file.read(places.placeOf(page), target);
    },
  };
}

/** Up to the list of blocks. A mapped-ram file's is written anew: without the places, it is a plain stream. */
function headPieces(stream: MigrationStream): readonly SkeletonPiece[] {
  const { range, configuration, isMapped, startSection } = stream;
  if (!isMapped || configuration === undefined) {
    return [{ startOffset: range.startOffset, endOffset: startSection.endOffset }];
  }
  return [
    { startOffset: range.startOffset, endOffset: configuration.range.startOffset },
    ...configurationPieces(configuration),
    { startOffset: configuration.range.endOffset, endOffset: startSection.startOffset },
    encodeRamStart(stream, stream.blocks),
  ];
}

function configurationPieces({
  range,
  capabilities,
  capabilitiesRange,
}: Configuration): readonly SkeletonPiece[] {
  if (capabilitiesRange === undefined) {
    return [range];
  }
  const kept = capabilities.filter((name) => name !== 'mapped-ram');
  return [
    { startOffset: range.startOffset, endOffset: capabilitiesRange.startOffset },
    ...(kept.length > 0 ? [encodeCapabilities(kept)] : []),
    { startOffset: capabilitiesRange.endOffset, endOffset: range.endOffset },
  ];
}

function* contentOf(
  file: ImageFile,
  pieces: readonly SkeletonPiece[],
): Generator<Uint8Array, void, undefined> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      yield piece;
      continue;
    }
    for (let at = piece.startOffset; at < piece.endOffset; at += copySizeBytes) {
      const bytes = Buffer.allocUnsafe(Math.min(copySizeBytes, piece.endOffset - at));
      file.read(at, bytes);
      yield bytes;
    }
  }
}

function sizeOf(piece: SkeletonPiece): number {
  return piece instanceof Uint8Array ? piece.length : piece.endOffset - piece.startOffset;
}
