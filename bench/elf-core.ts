// A raw RAM image as the ELF core that makedumpfile reads: headers and the VMCOREINFO note in front, the RAM behind them.
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import {
  type MemoryRegion,
  pageSizeBytes,
  type PhysicalMemory,
} from '../introspect/memory/physical-memory.js';

const headerBytes = 64;
const programHeaderBytes = 56;
/** RAM begins at a page, as makedumpfile maps it. */
const ramOffsetBytes = 64 * 1024;
const coreType = 4;
const machineX86 = 62;
const loadSegment = 1;
const noteSegment = 4;

/** `vmcoreinfo` is the text of that page, without its zeroes. */
export async function writeElfCore(
  rawPath: string,
  corePath: string,
  memory: PhysicalMemory,
  vmcoreinfo: Buffer,
): Promise<void> {
  const head = Buffer.alloc(ramOffsetBytes);
  const note = vmcoreinfoNote(vmcoreinfo);
  const segmentCount = memory.regions.length + 1;
  const noteOffset = headerBytes + segmentCount * programHeaderBytes;
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head);
  head.writeUInt16LE(coreType, 16);
  head.writeUInt16LE(machineX86, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(headerBytes), 32);
  head.writeUInt16LE(headerBytes, 52);
  head.writeUInt16LE(programHeaderBytes, 54);
  head.writeUInt16LE(segmentCount, 56);
  writeSegment(head, 0, noteSegment, { gpaStart: 0, sizeBytes: note.length }, noteOffset);
  memory.regions.forEach((region, index) => {
    writeSegment(head, index + 1, loadSegment, region, ramOffsetBytes + region.imageOffset);
  });
  note.copy(head, noteOffset);
  const core = createWriteStream(corePath);
  core.write(head);
  await pipeline(createReadStream(rawPath, { highWaterMark: 1024 * 1024 }), core);
}

function writeSegment(
  head: Buffer,
  index: number,
  type: number,
  region: Pick<MemoryRegion, 'gpaStart' | 'sizeBytes'>,
  fileOffset: number,
): void {
  const at = headerBytes + index * programHeaderBytes;
  head.writeUInt32LE(type, at);
  head.writeBigUInt64LE(BigInt(fileOffset), at + 8);
  head.writeBigUInt64LE(BigInt(region.gpaStart), at + 24);
  head.writeBigUInt64LE(BigInt(region.sizeBytes), at + 32);
  head.writeBigUInt64LE(BigInt(region.sizeBytes), at + 40);
}

function vmcoreinfoNote(text: Buffer): Buffer {
  const name = Buffer.from('VMCOREINFO\0\0');
  const note = Buffer.alloc(12 + name.length + Math.ceil(text.length / 4) * 4);
  note.writeUInt32LE('VMCOREINFO\0'.length, 0);
  note.writeUInt32LE(text.length, 4);
  name.copy(note, 12);
  text.copy(note, 12 + name.length);
  return note;
}

/** The text of the guest's VMCOREINFO page, found by its first line; the kernel's format string has a `%` in it. */
export function vmcoreinfoText(memory: PhysicalMemory): Buffer {
  const page = Buffer.alloc(pageSizeBytes);
  for (let offset = 0; offset < memory.sizeBytes; offset += pageSizeBytes) {
    memory.readImage(offset, page);
    if (page.toString('latin1', 0, 10) === 'OSRELEASE=' && page[10] !== 0x25) {
      return page.subarray(0, page.indexOf(0));
    }
  }
  throw new Error('the image holds no VMCOREINFO page');
}
