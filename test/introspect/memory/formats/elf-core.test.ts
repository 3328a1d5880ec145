// ELF cores: which are read, and what is said of the others.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findKernel } from '../../../../introspect/label/find-kernel.js';
import { openImage } from '../../../../introspect/memory/open-image-file.js';
import { pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import { elfCore, type Segment } from '../elf-sample.js';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-elf-'));
  path = join(folder, 'core');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const page = Buffer.alloc(pageSizeBytes, 7);
const onePage: readonly Segment[] = [{ gpa: 0, bytes: page }];

function openError(content: Buffer): unknown {
  writeFileSync(path, content);
  try {
    openImage(path).close();
  } catch (error) {
    return error;
  }
  throw new Error('expected it to be refused');
}

function changed(change: (core: Buffer) => void, segments = onePage): Buffer {
  const core = elfCore(segments);
  change(core);
  return core;
}

test.each([
  ['a 32-bit core', changed((core) => (core[4] = 1)), /32-bit/],
  ['a big-endian core', changed((core) => (core[5] = 2)), /big-endian/],
  ['a program', elfCore(onePage, { type: 2 }), /type 2.*program/],
  ["Xen's form", elfCore([]), /no program headers.*Xen/],
  ['a core without RAM', elfCore([{ type: 4, gpa: 0, bytes: page }]), /no guest RAM/],
  ['odd program headers', changed((core) => core.writeUInt16LE(32, 54)), /56 bytes .*found 32/],
  [
    'an offset of 2^63',
    changed((core) => core.writeUInt8(0x80, 64 + 15)),
    /p_offset at offset 72 .*0x80000000000000/,
  ],
  [
    'more stored than there is',
    elfCore([{ gpa: 0, bytes: Buffer.alloc(2 * pageSizeBytes), memoryBytes: pageSizeBytes }]),
    /program header 0: .*4096 bytes .*found 8192/,
  ],
  ['half a page', elfCore([{ gpa: 0, bytes: page.subarray(2048) }]), /whole pages/],
  ['RAM from within a page', elfCore([{ gpa: 0x800, bytes: page }]), /whole pages.*0x800/],
  ['RAM above all addresses', elfCore([{ gpa: 2 ** 52, bytes: page }]), /below 0x10000000000000/],
  [
    'a page that two headers claim',
    elfCore([
      { gpa: 0x1000, bytes: page },
      { gpa: 0, bytes: Buffer.concat([page, page]) },
    ]),
    /program header 0: .*from 0x2000 on.*program header 1 .*0x1000.*without paging/,
  ],
])('%s is refused', (_, content, message) => {
  expect(openError(content)).toMatchObject({
    code: 'image-invalid',
    message: expect.stringMatching(message) as unknown,
  });
});

test('more RAM than a store can describe is refused before memory is taken for it', () => {
  const core = elfCore([{ gpa: 0, bytes: page, memoryBytes: 2 ** 41 }]);
  expect(openError(core)).toMatchObject({ code: 'unsupported' });
});

test('a core of another machine opens, and no kernel is looked for in it', () => {
  writeFileSync(path, elfCore(onePage, { machine: 183 }));
  const image = openImage(path);
  expect(image.views[0].sizeBytes).toBe(pageSizeBytes);
  expect(findKernel(image)).toMatchObject({
    found: false,
    reason: expect.stringMatching(/x86-64 .*AArch64/) as unknown,
  });
  image.close();
});

test('70,000 program headers with their count in section header 0 are read', () => {
  // Only every second page is RAM; 5,000 regions are what tells one page from the next.
  const segments = Array.from({ length: 70_000 }, (_, index): Segment => {
    const isRam = index % 14 === 0;
    return {
      type: isRam ? 1 : 4,
      gpa: index * 2 * pageSizeBytes,
      bytes: isRam ? page : Buffer.alloc(0),
    };
  });
  writeFileSync(path, elfCore(segments, { extendedCount: true }));
  const image = openImage(path);
  const [memory] = image.views;
  expect(memory.regions).toHaveLength(5000);
  const target = Buffer.alloc(pageSizeBytes);
  expect(memory.read(14 * 2 * pageSizeBytes * 4999, target)).toBe(true);
  expect(target.equals(page)).toBe(true);
  expect(memory.read(14 * 2 * pageSizeBytes * 4999 + pageSizeBytes, target)).toBe(false);
  image.close();
});
