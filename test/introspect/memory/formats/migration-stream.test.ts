// What of a migration stream is read, what is refused, and what is kept of it beside the RAM.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageFile } from '../../../../introspect/memory/image-file.js';
import { decodeMigrationStream } from '../../../../introspect/memory/migration/decode.js';
import { SentPages } from '../../../../introspect/memory/migration/page-places.js';
import { openImage } from '../../../../introspect/memory/open-image-file.js';
import { pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import {
  backgroundSnapshot,
  blockOf,
  command,
  configuration,
  ending,
  fileHead,
  flags,
  footer,
  liveStream,
  mainBlock,
  mappedRam,
  pageIn,
  pageOf,
  ramSection,
  ramStart,
  rawRecord,
  record,
  romBlock,
  type SampleBlock,
  sectionHead,
} from '../migration-sample.js';
import { thrownBy } from '../thrown-by.js';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-migration-'));
  path = join(folder, 'stream');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function imageOf(...parts: readonly Buffer[]): Buffer {
  writeFileSync(path, Buffer.concat(parts));
  const image = openImage(path);
  const bytes = Buffer.alloc(image.views[0].sizeBytes, 0xa5);
  image.views[0].readImage(0, bytes);
  image.close();
  return bytes;
}

function stateOf(content: Buffer): Buffer {
  writeFileSync(path, content);
  const image = openImage(path);
  const state = Buffer.concat([...(image.state?.content() ?? [])]);
  expect(image.state?.sizeBytes).toBe(state.length);
  image.close();
  return state;
}

const allPages = ({ name, bytes }: SampleBlock): readonly Buffer[] =>
  Array.from({ length: bytes.length / pageSizeBytes }, (_, page) =>
    record(page, pageIn({ name, bytes }, page), page === 0 ? name : undefined),
  );

/** The bytes of the devices in `ending`. */
const devices = ending().indexOf('{') - 6;

/** Zeroes of many times the length that is read at once, and some more. */
const volumeRest = Buffer.alloc(5 * 2 ** 20 + 17);

test('a stream in a larger volume ends where its zeroes begin', () => {
  for (const stream of [liveStream(), backgroundSnapshot(), mappedRam()]) {
    const inVolume = Buffer.concat([stream, volumeRest]);
    expect(imageOf(inVolume).equals(imageOf(stream))).toBe(true);
    expect(stateOf(inVolume).equals(stateOf(stream))).toBe(true);
  }
});

describe('pages', () => {
  test('of a background snapshot, which does not end its RAM, are read', () => {
    expect(imageOf(backgroundSnapshot()).equals(mainBlock.bytes)).toBe(true);
  });

  test('count as they were sent last, zeroes too', () => {
    const image = imageOf(
      ...[fileHead, configuration(), ramStart([blockOf('ram0', 4, 1)])],
      ramSection(2, [record(0, pageOf(1), 'ram0'), record(1, pageOf(2)), record(2, undefined)]),
      ramSection(2, [record(1, undefined, 'ram0'), record(2, pageOf(3))]),
      ramSection(3, [record(0, pageOf(4), 'ram0')]),
      ending(),
    );
    const zero = Buffer.alloc(pageSizeBytes);
    expect(image.equals(Buffer.concat([pageOf(4), zero, pageOf(3), zero]))).toBe(true);
  });

  test("of libvirt's NUMA nodes lie one after the other by their numbers", () => {
    const nodes = [10, 0, 1].map((number) => blockOf(`ram-node${number}`, 2, 20 * number));
    const image = imageOf(
      ...[fileHead, configuration(), ramStart([romBlock, ...nodes])],
      ramSection(3, [...nodes.flatMap(allPages), ...allPages(romBlock)]),
      ending(),
    );
    expect(image.equals(Buffer.concat([nodes[1].bytes, nodes[2].bytes, nodes[0].bytes]))).toBe(
      true,
    );
  });

  test('are kept, but not looked at, when the machine is no PC', () => {
    writeFileSync(
      path,
      Buffer.concat([
        ...[fileHead, configuration([], 'virt-9.0'), ramStart([mainBlock])],
        ...[ramSection(3, allPages(mainBlock)), ending()],
      ]),
    );
    const image = openImage(path);
    expect(image.unsupported).toMatch(/machine "virt-9.0"/);
    expect(image.views).toHaveLength(1);
    image.close();
  });

  test('of zeroes cost no memory, others 8 bytes each', () => {
    const pageCount = 2 ** 20;
    const places = new SentPages();
    const before = process.memoryUsage().arrayBuffers;
    for (let page = 0; page < pageCount; page++) {
      places.send(page, 0);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 16);
    for (let page = 0; page < pageCount; page++) {
      places.send(page, 2 ** 40 + page);
    }
    expect(places.placeOf(pageCount - 1)).toBe(2 ** 40 + pageCount - 1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * pageCount + 2 ** 16);
  });
});

describe('a stream that is refused', () => {
  const start = Buffer.concat([fileHead, configuration(), ramStart([mainBlock, romBlock])]);
  const section = (...records: readonly Buffer[]): Buffer =>
    Buffer.concat([start, ramSection(2, records)]);

  test.each<readonly [string, string, RegExp, Buffer]>([
    [
      'of another version',
      'unsupported',
      /version 3, found version 2/,
      Buffer.from('QEVM\0\0\0\x02'),
    ],
    [
      'without its RAM',
      'unsupported',
      /RAM is not in the stream.*mem-path.*--state/,
      Buffer.concat([
        ...[fileHead, configuration(['x-ignore-shared'])],
        ...[ramStart([mainBlock], () => Buffer.alloc(8)), ramSection(3, []), ending()],
      ]),
    ],
    [
      'with differences of pages',
      'unsupported',
      /differences.*xbzrle off/,
      section(rawRecord(flags.xbzrle)),
    ],
    ['with compressed pages', 'unsupported', /compressed.*compress off/, section(rawRecord(0x100))],
    ['with pages sent by RDMA', 'unsupported', /RDMA/, section(rawRecord(0x80))],
    ['with pages sent elsewhere', 'unsupported', /multifd off/, section(rawRecord(0x200))],
    [
      'that goes over to postcopy',
      'unsupported',
      /PACKAGED/,
      Buffer.concat([start, command(7, Buffer.alloc(4))]),
    ],
    [
      'of huge pages, ready for postcopy',
      'unsupported',
      /postcopy-ram/,
      Buffer.concat([
        fileHead,
        configuration(),
        command(3, Buffer.from('0000000000200000', 'hex')),
      ]),
    ],
    [
      'with a device before its RAM',
      'unsupported',
      /section "dirty-bitmap" at offset 6\d.*dirty-bitmaps/,
      Buffer.concat([fileHead, configuration(), sectionHead(1, 'dirty-bitmap', 1)]),
    ],
    [
      'with RAM of another version',
      'unsupported',
      /version 4, found 5/,
      Buffer.concat([fileHead, configuration(), sectionHead(1, 'ram', 5)]),
    ],
    [
      'with a part that is not known in its configuration',
      'unsupported',
      /"configuration\/later"/,
      Buffer.concat([
        fileHead,
        configuration(),
        Buffer.from('\x05\x13configuration/later\0\0\0\x01'),
      ]),
    ],
    [
      'of a page beyond its block',
      'image-invalid',
      /offset 98304 of ram0/,
      section(record(24, undefined, 'ram0')),
    ],
    ['of a page of no block', 'image-invalid', /no block before it/, section(record(0, undefined))],
    [
      'of a block that is not listed',
      'image-invalid',
      /"ram7"/,
      section(record(0, undefined, 'ram7')),
    ],
    [
      'of pages filled with something',
      'image-invalid',
      /filled with 7/,
      section(rawRecord(flags.zero, Buffer.from('\x04ram0\x07'))),
    ],
    ['with a record of no kind', 'image-invalid', /flags 0x1\b/, section(rawRecord(1))],
    [
      'with a section of another number',
      'image-invalid',
      /number 9/,
      Buffer.concat([start, Buffer.from('\x02\0\0\0\x09')]),
    ],
    [
      "with another section's footer",
      'image-invalid',
      /footer of section 2 at offset \d+.*found one of section 3/,
      Buffer.concat([start.subarray(0, -5), footer(3)]),
    ],
    [
      'with two lists of blocks',
      'image-invalid',
      /list of RAM blocks once/,
      Buffer.concat([start, sectionHead(1, 'ram')]),
    ],
    [
      'that ends before the devices do',
      'image-invalid',
      /description of the devices.*cut short/,
      liveStream().subarray(0, -40),
    ],
    [
      'that ends before the devices do, in a larger volume',
      'image-invalid',
      /description of the devices.*nor before the zeroes there/,
      Buffer.concat([liveStream().subarray(0, -60), Buffer.alloc(pageSizeBytes)]),
    ],
    [
      'that something else follows',
      'image-invalid',
      /something else follows/,
      Buffer.concat([liveStream(), Buffer.alloc(pageSizeBytes), Buffer.from('old')]),
    ],
    [
      'without a description of its devices',
      'unsupported',
      /suppress-vmdesc=on.*suppress-vmdesc=off/,
      liveStream().subarray(0, 1 - ending().length + devices),
    ],
    [
      'without a description of its devices, in a larger volume',
      'unsupported',
      /suppress-vmdesc=on/,
      Buffer.concat([
        liveStream().subarray(0, 1 - ending().length + devices),
        Buffer.alloc(3 * pageSizeBytes),
      ]),
    ],
  ])('%s', (_, code, message, content) => {
    writeFileSync(path, content);
    const error = thrownBy(() => openImage(path));
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  test('from a pipe, without waiting for its writer', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const error = thrownBy(() => openImage(pipe, { format: 'migration' }));
    expect(error.message).toMatch(/expected a regular file/);
  });
});

describe('what is kept beside the RAM', () => {
  const decoded = (content: Buffer) => {
    writeFileSync(path, content);
    return ImageFile.openAs(path, (file) => {
      const stream = decodeMigrationStream(file, 0);
      const found = stream.blocks.map(({ name, sizeBytes, places }) => {
        const bytes = Buffer.alloc(sizeBytes);
        for (let page = 0; page < sizeBytes / pageSizeBytes; page++) {
          if (places.placeOf(page) !== 0) {
            file.read(
              places.placeOf(page),
              bytes.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes),
            );
          }
        }
        return { name, bytes };
      });
      file.close();
      return { stream, found };
    });
  };

  test.each([
    ['a live stream', liveStream(), true],
    ['a background snapshot', backgroundSnapshot(), false],
    ['a mapped-ram file', mappedRam(), true],
  ])('of %s is a stream with all but its RAM', (_, content, hasEnd) => {
    const state = stateOf(content);
    const { stream, found } = decoded(state);
    expect(found.map(({ name }) => name)).toEqual(['ram0', 'pc.bios']);
    expect(found[0].bytes.every((byte) => byte === 0)).toBe(true);
    expect(found[1].bytes.equals(romBlock.bytes)).toBe(true);
    expect(stream.isMapped).toBe(false);
    expect(stream.configuration).toMatchObject({ machine: 'pc-q35-7.2', capabilities: [] });
    expect(stream.hasEndSection).toBe(hasEnd);
    expect(state.subarray(-ending().length).equals(ending())).toBe(true);
    expect(state.length).toBeLessThan(3 * pageSizeBytes + 500);
  });

  test('begins as the stream does, and keeps its commands', () => {
    const state = stateOf(liveStream());
    const head = liveStream().subarray(0, liveStream().indexOf(ramStart([mainBlock, romBlock])));
    expect(state.subarray(0, head.length).equals(head)).toBe(true);
    expect(state.includes(command(11))).toBe(true);
  });
});
