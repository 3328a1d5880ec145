// From RAM and the state of a stream to a stream again.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageFile } from '../../../introspect/memory/image-file.js';
import { decodeMigrationStream } from '../../../introspect/memory/migration/decode.js';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import { StreamRebuild } from '../../../src/restore/output/rebuild-stream.js';
import type { StreamFormat } from '../../../src/restore/restore-request.js';
import {
  backgroundSnapshot,
  blockOf,
  configuration,
  ending,
  fileHead,
  liveStream,
  mainBlock,
  mappedRam,
  pageIn,
  ramSection,
  ramStart,
  record,
  saveFile,
} from '../../introspect/memory/migration-sample.js';
import { thrownBy } from '../../introspect/memory/thrown-by.js';

let folder: string;
let ramPath: string;
let statePath: string;
let streamPath: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-rebuild-'));
  [ramPath, statePath, streamPath] = ['ram', 'state', 'stream'].map((name) => join(folder, name));
  writeFileSync(ramPath, mainBlock.bytes);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function stateOf(path: string): Buffer {
  const image = openImage(path);
  const state = Buffer.concat([...(image.state?.content() ?? [])]);
  image.close();
  return state;
}

function rebuild(format: StreamFormat): Buffer {
  const stream = StreamRebuild.open(statePath, format, mainBlock.bytes.length);
  const ram = ImageFile.open(ramPath);
  const content = Buffer.concat([...stream.content(ram)]);
  ram.close();
  stream.close();
  return content;
}

test.each<readonly [string, Buffer, StreamFormat]>([
  ['a live stream', liveStream(), 'migration'],
  ['a background snapshot', backgroundSnapshot(), 'migration'],
  ['a mapped-ram file', mappedRam(), 'migration'],
  ['a virsh save file', saveFile('raw'), 'libvirt-save'],
  ['a compressed virsh save file', saveFile('gzip'), 'libvirt-save'],
  ['a sparse virsh save file', saveFile('sparse'), 'libvirt-save'],
  ["a virsh save file's stream alone", saveFile('raw'), 'migration'],
])('%s holds the same RAM and the same state again', (_, content, format) => {
  writeFileSync(streamPath, content);
  const state = stateOf(streamPath);
  writeFileSync(statePath, state);
  writeFileSync(streamPath, rebuild(format));
  const image = openImage(streamPath);
  expect(image.format).toBe(format);
  const bytes = Buffer.alloc(image.views[0].sizeBytes);
  image.views[0].readImage(0, bytes);
  image.close();
  expect(bytes.equals(mainBlock.bytes)).toBe(true);
  const again = stateOf(streamPath);
  expect(again.equals(state.subarray(state.length - again.length))).toBe(true);
});

test.each<readonly [string, Buffer, StreamFormat, RegExp]>([
  ['that is no stream', Buffer.alloc(500, 1), 'migration', /does not come from a migration stream/],
  ['without a save header', liveStream(), 'libvirt-save', /does not come from a virsh save file/],
  [
    'that was taken without RAM',
    Buffer.concat([
      ...[fileHead, configuration(['x-ignore-shared'])],
      ...[ramStart([mainBlock], () => Buffer.alloc(8)), ramSection(3, []), ending()],
    ]),
    'migration',
    /x-ignore-shared/,
  ],
  [
    'of other RAM',
    Buffer.concat([
      ...[fileHead, configuration()],
      ...[ramStart([{ ...mainBlock, bytes: Buffer.alloc(8192) }]), ramSection(3, []), ending()],
    ]),
    'migration',
    /8192 bytes of RAM, the image has 98304/,
  ],
])('a state %s is refused before RAM is read', (_, state, format, message) => {
  writeFileSync(statePath, state);
  const error = thrownBy(() => rebuild(format));
  expect(error.code).toBe('unsupported');
  expect(error.message).toMatch(message);
});

test("what was plugged in goes back beside the machine's own RAM", () => {
  const own = blockOf('pc.ram', 4, 1);
  const dimm = { name: 'dimm0', bytes: Buffer.alloc(2 ** 27) };
  dimm.bytes.write('in the DIMM', 3 * 4096);
  const records = [dimm, own].map((block) => record(3, pageIn(block, 3), block.name));
  const stream = [fileHead, configuration(), ramStart([dimm, own]), ramSection(2, records)];
  writeFileSync(streamPath, Buffer.concat([...stream, ending()]));
  writeFileSync(statePath, stateOf(streamPath));
  const bytesOf = (path: string): Buffer => {
    const image = openImage(path);
    const bytes = Buffer.alloc(image.views[0].sizeBytes);
    image.views[0].readImage(0, bytes);
    image.close();
    return bytes;
  };
  const expected = Buffer.alloc(own.bytes.length + dimm.bytes.length);
  expected.set(own.bytes.subarray(3 * 4096), 3 * 4096);
  expected.set(dimm.bytes, own.bytes.length);
  const ramBytes = bytesOf(streamPath);
  expect(ramBytes.equals(expected)).toBe(true);
  writeFileSync(ramPath, ramBytes);
  const rebuilt = StreamRebuild.open(statePath, 'migration', ramBytes.length);
  const ram = ImageFile.open(ramPath);
  writeFileSync(streamPath, Buffer.concat([...rebuilt.content(ram)]));
  ram.close();
  rebuilt.close();
  expect(bytesOf(streamPath).equals(expected)).toBe(true);
  writeFileSync(ramPath, mainBlock.bytes);
});

test('RAM goes back into the block whose pages the state lacks, whatever the others are called and as large as it', () => {
  const own = blockOf('pc.ram', 8, 1);
  const dimm = blockOf('dimm0', 8, 100);
  const records = [dimm, own].flatMap((block) =>
    Array.from({ length: 8 }, (_, page) =>
      record(page, pageIn(block, page), page === 0 ? block.name : undefined),
    ),
  );
  const content = [fileHead, configuration(), ramStart([dimm, own]), ramSection(2, records)];
  writeFileSync(streamPath, Buffer.concat([...content, ending()]));
  writeFileSync(statePath, stateOf(streamPath));
  const image = openImage(streamPath);
  const bytes = Buffer.alloc(image.views[0].sizeBytes);
  image.views[0].readImage(0, bytes);
  image.close();
  expect(bytes.equals(own.bytes)).toBe(true);

  // As an earlier program may have stored it: the other one is the RAM, and its pages are not in the state.
  const earlier = [fileHead, configuration(), ramStart([dimm, own])];
  const ownRecords = records.slice(8);
  writeFileSync(statePath, Buffer.concat([...earlier, ramSection(2, ownRecords), ending()]));
  const stream = StreamRebuild.open(statePath, 'migration', dimm.bytes.length);
  writeFileSync(ramPath, dimm.bytes);
  const ram = ImageFile.open(ramPath);
  writeFileSync(streamPath, Buffer.concat([...stream.content(ram)]));
  ram.close();
  stream.close();
  const whole = ImageFile.open(streamPath);
  const { blocks } = decodeMigrationStream(whole, 0);
  for (const { name, bytes: expected } of [dimm, own]) {
    const places = blocks.find((block) => block.name === name)?.places;
    const found = Buffer.alloc(expected.length);
    for (let page = 0; page < 8; page++) {
      const place = places?.placeOf(page) ?? 0;
      if (place !== 0) {
        whole.read(place, found.subarray(page * 4096, (page + 1) * 4096));
      }
    }
    expect(found.equals(expected)).toBe(true);
  }
  whole.close();
  writeFileSync(ramPath, mainBlock.bytes);
});
