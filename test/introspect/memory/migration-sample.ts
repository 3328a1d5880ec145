// Migration streams and virsh save files of a few pages, written by hand after qemu migration/ram.c and savevm.c and
// libvirt qemu_saveimage.h, not with the program's own writer.
import { gzipSync } from 'node:zlib';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';

const u8 = (value: number): Buffer => Buffer.of(value);
const u16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const name = (text: string): Buffer => Buffer.concat([u8(text.length), Buffer.from(text)]);

export const ramId = 2;
export const flags = { zero: 2, memorySize: 4, page: 8, end: 16, continue: 32, xbzrle: 64 };

export const fileHead = Buffer.concat([Buffer.from('QEVM'), u32(3)]);
export const footer = (id = ramId): Buffer => Buffer.concat([u8(0x7e), u32(id)]);
export const endRecord = u64(flags.end);

export function configuration(
  capabilities: readonly string[] = [],
  machine = 'pc-q35-7.2',
): Buffer {
  const list = [
    u8(5),
    name('configuration/capabilities'),
    u32(1),
    u32(capabilities.length),
    ...capabilities.map(name),
  ];
  return Buffer.concat([
    u8(7),
    u32(machine.length),
    Buffer.from(machine),
    ...(capabilities.length > 0 ? list : []),
    ...[u8(5), name('configuration/uuid'), u32(1), Buffer.alloc(16, 0x11)],
  ]);
}

export function command(number: number, data: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([u8(8), u16(number), u16(data.length), data]);
}

export function sectionHead(type: 1 | 4, title: string, version = 4, id = ramId): Buffer {
  return Buffer.concat([u8(type), u32(id), name(title), u32(0), u32(version)]);
}

export interface SampleBlock {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The section that lists the blocks, each with what `extra` gives. */
export function ramStart(
  blocks: readonly SampleBlock[],
  extra: (block: SampleBlock) => Buffer = () => Buffer.alloc(0),
): Buffer {
  const total = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return Buffer.concat([
    sectionHead(1, 'ram'),
    u64(total + flags.memorySize),
    ...blocks.flatMap((block) => [name(block.name), u64(block.bytes.length), extra(block)]),
    endRecord,
    footer(),
  ]);
}

/** Type 2 goes on, 3 ends. */
export function ramSection(type: 2 | 3, records: readonly Buffer[]): Buffer {
  return Buffer.concat([u8(type), u32(ramId), ...records, endRecord, footer()]);
}

/** A page, or with `bytes` undefined a page of zeroes. Without a block's name it is of the block before. */
export function record(page: number, bytes: Buffer | undefined, block?: string): Buffer {
  const kind = bytes === undefined ? flags.zero : flags.page;
  const word = page * pageSizeBytes + kind + (block === undefined ? flags.continue : 0);
  return Buffer.concat([u64(word), ...(block === undefined ? [] : [name(block)]), bytes ?? u8(0)]);
}

export const rawRecord = (word: number, ...rest: readonly Buffer[]): Buffer =>
  Buffer.concat([u64(word), ...rest]);

/** Devices, which nobody here reads, the stream's end and the description that QEMU writes last. */
export function ending(): Buffer {
  const description = Buffer.from('{"page_size": 4096, "devices": []}');
  return Buffer.concat([
    ...[sectionHead(4, 'timer', 2, 0), Buffer.alloc(24, 0x77), footer(0)],
    ...[u8(0), u8(6), u32(description.length), description],
  ]);
}

export function pageOf(seed: number): Buffer {
  const page = Buffer.alloc(pageSizeBytes);
  for (let at = 0; at < page.length; at++) {
    page[at] = (at * 13 + seed * 59 + (at >> 6)) & 0xff;
  }
  return page;
}

/** Every third page is zero. */
export function blockOf(title: string, pageCount: number, seed: number): SampleBlock {
  const pages = Array.from({ length: pageCount }, (_, page) =>
    page % 3 === 2 ? Buffer.alloc(pageSizeBytes) : pageOf(seed + page),
  );
  return { name: title, bytes: Buffer.concat(pages) };
}

export function pageIn({ bytes }: SampleBlock, page: number): Buffer | undefined {
  const content = bytes.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes);
  return content.every((byte) => byte === 0) ? undefined : content;
}

export const mainBlock = blockOf('ram0', 24, 1);
export const romBlock = blockOf('pc.bios', 3, 200);

/** As from a running VM: pages of the first pass that were written to meanwhile come again. */
export function liveStream(): Buffer {
  const pageCount = mainBlock.bytes.length / pageSizeBytes;
  const pages = Array.from({ length: pageCount }, (_, page) => page);
  const first = pages.map((page) =>
    record(
      page,
      page % 5 === 0 ? pageOf(99) : pageIn(mainBlock, page),
      page === 0 ? 'ram0' : undefined,
    ),
  );
  const again = pages
    .filter((page) => page % 5 === 0)
    .map((page, index) => record(page, pageIn(mainBlock, page), index === 0 ? 'ram0' : undefined));
  const rom = [0, 1, 2].map((page) =>
    record(page, pageIn(romBlock, page), page === 0 ? 'pc.bios' : undefined),
  );
  return Buffer.concat([
    fileHead,
    configuration(),
    command(3, Buffer.concat([u64(4096), u64(4096)])),
    ramStart([mainBlock, romBlock]),
    ramSection(2, [...first, ...rom]),
    command(11),
    ramSection(3, again),
    ending(),
  ]);
}

/** One pass, and the devices without an end of the RAM. */
export function backgroundSnapshot(): Buffer {
  const pages = [mainBlock, romBlock].flatMap((block) =>
    Array.from({ length: block.bytes.length / pageSizeBytes }, (_, page) =>
      record(page, pageIn(block, page), page === 0 ? block.name : undefined),
    ),
  );
  return Buffer.concat([
    fileHead,
    configuration(),
    ramStart([mainBlock, romBlock]),
    ramSection(2, pages),
    ending(),
  ]);
}

const mappedAlignment = 2 ** 20;

/** A mapped-ram file, `before` bytes into it: places in it count from its beginning. */
export function mappedRam(before: Buffer = Buffer.alloc(0)): Buffer {
  const blocks = [mainBlock, romBlock];
  const total = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  let file = Buffer.concat([
    before,
    fileHead,
    configuration(['mapped-ram']),
    sectionHead(1, 'ram'),
    u64(total + flags.memorySize),
  ]);
  for (const block of blocks) {
    const head = Buffer.concat([file, name(block.name), u64(block.bytes.length)]);
    const bitmapOffset = head.length + 28;
    const bitmap = Buffer.alloc(8);
    for (let page = 0; page < block.bytes.length / pageSizeBytes; page++) {
      bitmap[page >> 3] |= pageIn(block, page) === undefined ? 0 : 1 << (page & 7);
    }
    const pagesOffset =
      Math.ceil((bitmapOffset + bitmap.length) / mappedAlignment) * mappedAlignment;
    const header = Buffer.concat([u32(1), u64(pageSizeBytes), u64(bitmapOffset), u64(pagesOffset)]);
    const gap = Buffer.alloc(pagesOffset - bitmapOffset - bitmap.length);
    // What a page held before it became zero may still lie in its place.
    const pages = Buffer.from(block.bytes.map((byte) => byte));
    for (let page = 0; page < pages.length / pageSizeBytes; page++) {
      if (pageIn(block, page) === undefined) {
        pages.fill(0xdd, page * pageSizeBytes, (page + 1) * pageSizeBytes);
      }
    }
    file = Buffer.concat([head, header, bitmap, gap, pages]);
  }
  return Buffer.concat([file, endRecord, footer(), ramSection(2, []), ramSection(3, []), ending()]);
}

export const saveXml = Buffer.from(
  "<domain type='qemu'><name>web</name></domain>\0<cookie/>\0\0\0\0",
);

export function saveHeader(format: number, magic = 'LibvirtQemudSave', version = 2): Buffer {
  const header = Buffer.alloc(92);
  header.write(magic);
  [version, saveXml.length, 1, format, saveXml.indexOf(0) + 1].forEach((value, index) => {
    header.writeUInt32LE(value, 16 + 4 * index);
  });
  return Buffer.concat([header, saveXml]);
}

export function saveFile(format: 'raw' | 'gzip' | 'sparse'): Buffer {
  switch (format) {
    case 'raw':
      return Buffer.concat([saveHeader(0), liveStream()]);
    case 'gzip':
      return Buffer.concat([saveHeader(1), gzipSync(liveStream())]);
    case 'sparse':
      return mappedRam(saveHeader(6));
  }
}
