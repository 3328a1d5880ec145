import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskImage } from '../../src/disk/disk-image.js';
import { thrownBy } from '../introspect/memory/thrown-by.js';

const folder = mkdtempSync(join(tmpdir(), 'pars-disk-image-'));
const path = join(folder, 'disk');

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function withHead(head: Buffer, offset = 0): void {
  const disk = Buffer.alloc(4096);
  head.copy(disk, offset);
  writeFileSync(path, disk);
}

test.each([
  ['qcow2', Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'), 0],
  ['QED', Buffer.from('QED\0'), 0],
  ['VMDK', Buffer.from('KDMV\x01'), 0],
  ['VMDK', Buffer.from('# Disk DescriptorFile\nversion=1\n'), 0],
  ['VDI', Buffer.from('7f10dabe01000100', 'hex'), 0x40],
  ['VHDX', Buffer.from('vhdxfile'), 0],
  ['VHD', Buffer.from('conectix'), 0],
  ['Parallels', Buffer.from('WithouFreSpacExt'), 0],
])('a %s image is refused, with what to do', (name, head, offset) => {
  withHead(head, offset);
  expect(thrownBy(() => DiskImage.open(path))).toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(
      new RegExp(`${name}.*qemu-img convert -O raw.*qemu-nbd`),
    ) as unknown,
  });
});

test.each([
  ['that is not there', join(folder, 'none'), /no such file/],
  ['that is a folder', folder, /expected a regular file or a block device/],
  ['that is a device of another kind', '/dev/null', /expected a regular file or a block device/],
])('a disk %s is no image', (_, where, message) => {
  expect(thrownBy(() => DiskImage.open(where))).toMatchObject({
    code: 'image-invalid',
    message: expect.stringMatching(message) as unknown,
  });
});

test('an empty file is no disk', () => {
  writeFileSync(path, '');
  expect(thrownBy(() => DiskImage.open(path))).toMatchObject({ code: 'image-invalid' });
});

test('bytes are read where they are, and none from beyond the end', () => {
  withHead(Buffer.from('abc'), 4000);
  const image = DiskImage.open(path);
  const target = Buffer.alloc(3);
  expect(image.read(4000, target)).toBe(true);
  expect(target.toString()).toBe('abc');
  expect([image.read(4094, target), image.read(-1, target), image.read(1e15, target)]).toEqual([
    false,
    false,
    false,
  ]);
  image.close();
});
