// Which format a file is taken for, and what is said of those that are not read.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openImage, type OpenImageOptions } from '../../../introspect/memory/open-image-file.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { elfCore } from './elf-sample.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-open-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const page = Buffer.alloc(pageSizeBytes, 1);
const firecrackerState = Buffer.from('0000648684191007' + '0500000000000000342e302e30', 'hex');

function fileOf(name: string, content: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function formatOf(path: string, options: OpenImageOptions = {}): string {
  const image = openImage(path, options);
  image.close();
  return image.format;
}

function failure(path: string, options: OpenImageOptions = {}): unknown {
  try {
    openImage(path, options).close();
  } catch (error) {
    return error;
  }
  throw new Error('expected it to be refused');
}

test('an ELF core is known by its first bytes, whatever its name', () => {
  expect(formatOf(fileOf('ram', elfCore([{ gpa: 0, bytes: page }])))).toBe('elf');
});

test('what nothing is known of is raw RAM', () => {
  expect(formatOf(fileOf('core.elf', page))).toBe('raw');
});

test('the stated format overrides the content', () => {
  const core = elfCore([{ gpa: 0, bytes: page }]);
  const padded = Buffer.alloc(2 * pageSizeBytes);
  core.copy(padded);
  expect(formatOf(fileOf('ram', padded), { format: 'raw' })).toBe('raw');
});

test("a file beside Firecracker's state is its memory, and the state itself is not", () => {
  const statePath = fileOf('state', firecrackerState);
  expect(formatOf(fileOf('mem', page))).toBe('firecracker');
  expect(failure(statePath)).toMatchObject({
    code: 'image-invalid',
    message: expect.stringMatching(/state file: expected the memory file/) as unknown,
  });
});

test('the state of today, which begins with a byte of its encoding, is known too', () => {
  fileOf('state', Buffer.concat([Buffer.alloc(1), firecrackerState]));
  expect(formatOf(fileOf('mem', page))).toBe('firecracker');
});

test('memory beside the state of an ARM machine is stored without a look for a kernel', () => {
  fileOf('state', Buffer.from('0000aaaa84191007', 'hex'));
  const image = openImage(fileOf('mem', page));
  image.close();
  expect(image.unsupported).toMatch(/AArch64/);
  expect(image.views[0].regions).toEqual([
    { gpaStart: 2 ** 31, sizeBytes: pageSizeBytes, imageOffset: 0 },
  ]);
});

test("a folder or its memory-ranges is Cloud Hypervisor's when its state lies in it", () => {
  const snapshot = join(folder, 'snapshot');
  mkdirSync(snapshot);
  const ranges = join(snapshot, 'memory-ranges');
  writeFileSync(ranges, page);
  expect(formatOf(ranges)).toBe('raw');
  const state = JSON.stringify({ memory_ranges: { data: [{ gpa: 0, length: pageSizeBytes }] } });
  writeFileSync(
    join(snapshot, 'state.json'),
    JSON.stringify({ snapshots: { 'memory-manager': { snapshot_data: { state } } } }),
  );
  expect(formatOf(ranges)).toBe('cloud-hypervisor');
  expect(formatOf(snapshot)).toBe('cloud-hypervisor');
});

test.each([
  ['KDUMP   ', /kdump-compressed.*makedumpfile -E/],
  ['makedumpfile\0\0\0\0', /flattened kdump.*makedumpfile/],
  ['EMiL', /LiME.*avml-convert/],
  ['AVML', /AVML.*lime_compressed/],
  ['QFI\xfb\0\0\0\x03', /qcow2 disk image.*give the VM's RAM.*--format raw/],
  ['QED\0', /QED disk image/],
  ['KDMV\x01\0\0\0', /VMDK disk image/],
  ['# Disk DescriptorFile\n', /VMDK disk image/],
  ['vhdxfile', /VHDX disk image/],
  ['conectix', /VHD disk image/],
  [
    '<<< Oracle VM VirtualBox Disk Image >>>\n'.padEnd(64, '\0') + '\x7f\x10\xda\xbe',
    /VDI disk image/,
  ],
  ['\x1f\x8b\x08\0', /compressed with gzip.*decompress it first with `gzip -d`/],
  ['\xfd7zXZ\0', /compressed with xz/],
  ['\x28\xb5\x2f\xfd', /compressed with zstd/],
  ['BZh91AY&SY', /compressed with bzip2/],
  ['\x04\x22\x4d\x18', /compressed with lz4/],
  ['\x89LZO\0\r\n\x1a\n', /compressed with lzop/],
  ['PK\x03\x04', /ZIP archive/],
])('a file that begins with %j is refused by name, with what to do', (magic, message) => {
  const content = Buffer.concat([Buffer.from(magic, 'latin1'), page]);
  expect(failure(fileOf('dump', content))).toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(message) as unknown,
  });
});

test.each(['QFI\xfb\0\0\0\x04', 'BZh1', '\x1f\x8b', 'QED '])(
  'a file that begins with %j is raw RAM: that is no sign of anything else',
  (start) => {
    const content = Buffer.alloc(pageSizeBytes, 0xff);
    content.write(start, 'latin1');
    expect(formatOf(fileOf('ram', content))).toBe('raw');
  },
);

test("a guest can't stop its backup by what it writes at the beginning of its RAM", () => {
  const ram = Buffer.alloc(2 ** 20);
  for (const start of ['EMiL', 'QFI\xfb\0\0\0\x03', '\x1f\x8b\x08\0', 'PK\x03\x04']) {
    ram.write(start, 'latin1');
    expect(formatOf(fileOf('ram', ram))).toBe('raw');
  }
});

test('what is refused by its first bytes is raw RAM when that is stated', () => {
  const content = gzipSync(randomBytes(pageSizeBytes));
  const whole = Buffer.alloc(Math.ceil(content.length / pageSizeBytes) * pageSizeBytes);
  content.copy(whole);
  const path = fileOf('ram', whole);
  expect(failure(path)).toMatchObject({ code: 'unsupported' });
  expect(formatOf(path, { format: 'raw' })).toBe('raw');
});

test.each([
  ['is missing', () => join(folder, 'nowhere'), /cannot open .*nowhere/],
  ['is a folder of something else', () => folder, /expected a regular file/],
  ['is empty', () => fileOf('empty', Buffer.alloc(0)), /empty/],
  ['ends inside a page', () => fileOf('ragged', page.subarray(1)), /4095 .*truncated/],
])('an image that %s is invalid', (_, path, message) => {
  expect(failure(path())).toMatchObject({
    code: 'image-invalid',
    message: expect.stringMatching(message) as unknown,
  });
});

test('a map for a container that has its own addresses is a mistake', () => {
  const path = fileOf('core', elfCore([{ gpa: 0, bytes: page }]));
  expect(failure(path, { mapPath: join(folder, 'map.json') })).toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/read as elf/) as unknown,
  });
});
