// Writes parts of a migration stream: sections of RAM, with every page once, as QEMU does for a VM that is stopped.
import { pageSizeBytes } from '../physical-memory.js';
import { capabilitiesSection, ramFlags, ramVersion, sectionTypes } from './layout.js';
import type { RamBlock } from './types.js';

export interface BlockPages {
  readonly name: string;
  readonly sizeBytes: number;
  readonly isZero: (page: number) => boolean;
  /** Called for pages that are not zero. */
  readonly read: (page: number, target: Uint8Array) => void;
}

export interface RamSection {
  readonly sectionId: number;
  readonly hasFooters: boolean;
}

const pieceSizeBytes = 2 ** 20;
const wordSizeBytes = 8;
const sectionHeadSizeBytes = 5;
const maxRecordSizeBytes = wordSizeBytes + 1 + 255 + pageSizeBytes;

/** The section that lists the blocks. */
export function encodeRamStart(
  section: RamSection,
  blocks: readonly Pick<RamBlock, 'name' | 'sizeBytes'>[],
): Uint8Array {
  const totalBytes = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return Buffer.concat([
    encodeHead(sectionTypes.start, section.sectionId),
    encodeName('ram'),
    encodeWord32(0), // Instance.
    encodeWord32(ramVersion),
    encodeWord64(totalBytes + ramFlags.memorySize),
    ...blocks.flatMap(({ name, sizeBytes }) => [encodeName(name), encodeWord64(sizeBytes)]),
    encodeEnd(section),
  ]);
}

/** The part of the configuration that lists capabilities. */
export function encodeCapabilities(names: readonly string[]): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(sectionTypes.subsection),
    encodeName(capabilitiesSection),
    encodeWord32(1), // Version.
    encodeWord32(names.length),
    ...names.map(encodeName),
  ]);
}

/** A section of type `part`, in pieces that the taker may keep. */
export function* encodeRamPart(
  section: RamSection,
  blocks: readonly BlockPages[],
): Generator<Uint8Array, void, undefined> {
  yield encodeHead(sectionTypes.part, section.sectionId);
  for (const block of blocks) {
    yield* encodeBlock(block);
  }
  yield encodeEnd(section);
}

/** What `encodeRamPart` yields, without reading a page. */
export function ramPartSizeBytes(section: RamSection, blocks: readonly BlockPages[]): number {
  let sizeBytes = sectionHeadSizeBytes + encodeEnd(section).length;
  for (const { name, sizeBytes: blockBytes, isZero } of blocks) {
    sizeBytes += 1 + name.length;
    for (let page = 0; page < blockBytes / pageSizeBytes; page++) {
      sizeBytes += wordSizeBytes + (isZero(page) ? 1 : pageSizeBytes);
    }
  }
  return sizeBytes;
}

/** A section of type `end` without any page. */
export function encodeRamEnd(section: RamSection): Uint8Array {
  return Buffer.concat([encodeHead(sectionTypes.end, section.sectionId), encodeEnd(section)]);
}

function* encodeBlock({
  name,
  sizeBytes,
  isZero,
  read,
}: BlockPages): Generator<Uint8Array, void, undefined> {
  let piece = Buffer.allocUnsafe(pieceSizeBytes);
  let at = 0;
  for (let page = 0; page < sizeBytes / pageSizeBytes; page++) {
    if (at + maxRecordSizeBytes > pieceSizeBytes) {
      yield piece.subarray(0, at);
      piece = Buffer.allocUnsafe(pieceSizeBytes);
      at = 0;
    }
    const zero = isZero(page);
    const kind = zero ? ramFlags.zero : ramFlags.page;
    const flags = page === 0 ? kind : kind | ramFlags.continue;
    at = piece.writeBigUInt64BE(BigInt(page * pageSizeBytes + flags), at);
    if (page === 0) {
      const lengthAndName = encodeName(name);
      piece.set(lengthAndName, at);
      at += lengthAndName.length;
    }
    if (zero) {
      piece[at++] = 0;
    } else {
      read(page, piece.subarray(at, at + pageSizeBytes));
      at += pageSizeBytes;
    }
  }
  yield piece.subarray(0, at);
}

function encodeHead(type: number, sectionId: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(type), encodeWord32(sectionId)]);
}

function encodeEnd({ sectionId, hasFooters }: RamSection): Uint8Array {
  const end = encodeWord64(ramFlags.endOfSection);
  return hasFooters ? Buffer.concat([end, encodeHead(sectionTypes.footer, sectionId)]) : end;
}

function encodeName(name: string): Uint8Array {
  return Buffer.from(`${String.fromCharCode(name.length)}${name}`, 'latin1');
}

function encodeWord32(value: number): Uint8Array {
  const word = Buffer.alloc(4);
  word.writeUInt32BE(value);
  return word;
}

function encodeWord64(value: number): Uint8Array {
  const word = Buffer.alloc(wordSizeBytes);
  word.writeBigUInt64BE(BigInt(value));
  return word;
}
