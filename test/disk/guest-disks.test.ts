import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  closeGuestDisks,
  diskNames,
  nameForUnnamed,
  openGuestDisks,
  parseDiskArgument,
} from '../../src/disk/guest-disks.js';
import { thrownBy } from '../introspect/memory/thrown-by.js';
import { guestWith, pageBytes } from './sample-disk.js';

const folder = mkdtempSync(join(tmpdir(), 'pars-guest-disks-'));
const path = join(folder, 'disk');
writeFileSync(path, Buffer.alloc(8192));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test.each([
  ['/images/vm.raw', undefined, '/images/vm.raw'],
  ['vm.raw', undefined, 'vm.raw'],
  ['vda=/images/vm.raw', 'vda', '/images/vm.raw'],
  ['nvme0n1=a=b', 'nvme0n1', 'a=b'],
  ['./vda=x', undefined, './vda=x'],
  ['/images/a=b', undefined, '/images/a=b'],
])('%s is the disk %s at %s', (text, name, where) => {
  expect(parseDiskArgument(text)).toEqual({ name, path: where });
});

test.each(['', 'vda=', 'root=/x', 'vda1=/x', 'VDA=/x', '=x'])('%j is no disk', (text) => {
  expect(thrownBy(() => parseDiskArgument(text))).toMatchObject({ code: 'usage' });
});

function named(...texts: string[]) {
  return texts.map(parseDiskArgument);
}

test('a disk without a name is the only one that bytes are wanted from', () => {
  const disks = openGuestDisks(named(path), ['sda']);
  expect(disks.map(({ name, image }) => [name, image.sizeBytes])).toEqual([['sda', 8192]]);
  closeGuestDisks(disks);
});

test('where it may be one of several, they are named', () => {
  const error = thrownBy(() => openGuestDisks(named(path), ['vda', 'vdb']));
  expect(error).toMatchObject({
    code: 'usage',
    message: expect.stringContaining(`vda, vdb: say which of them ${path} is`) as unknown,
  });
});

test('what a guest says of its disks is no error at an upload: where it names several, the disk has no name', () => {
  expect(nameForUnnamed(named(path), ['vda'])).toEqual({ name: 'vda' });
  expect(nameForUnnamed(named(path), [])).toEqual({ name: undefined });
  expect(nameForUnnamed(named(`vda=${path}`), ['vda', 'vdb'])).toEqual({ name: undefined });
  const many = Array.from({ length: 100 }, (_, index) => `nvme${index}n1`);
  for (const names of [['vda', 'vdb'], many]) {
    const { name, warning = '' } = nameForUnnamed(named(path), names);
    expect(name).toBeUndefined();
    expect(warning).toMatch(/which of them .* is, is not clear/);
    expect(warning.length).toBeLessThan(500);
  }
  expect(nameForUnnamed(named(`vda=${path}`, path), ['vda'])).toMatchObject({ name: undefined });
});

test('a disk that nothing is wanted from is looked at all the same', () => {
  expect(openGuestDisks(named(path), [])).toEqual([]);
  const error = thrownBy(() => openGuestDisks(named(join(folder, 'none')), []));
  expect(error).toMatchObject({ code: 'image-invalid' });
});

test('a disk is named once', () => {
  expect(thrownBy(() => openGuestDisks(named(`vda=${path}`, path), ['vda']))).toMatchObject({
    code: 'usage',
    message: expect.stringContaining('named twice') as unknown,
  });
});

test('nothing stays open when one of them cannot be opened', () => {
  const open = (): readonly string[] =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  thrownBy(() => openGuestDisks(named(`vda=${path}`, `vdb=${folder}`), ['vda']));
  expect(open()).not.toContain(path);
});

test('disks are those that cached pages lie on', () => {
  const volume = { fileSystem: 'ext4', startBytes: 0, blockSizeBytes: 4096 };
  const { places } = guestWith(
    [0, 1].map((file) => ({ bytes: Buffer.alloc(pageBytes), file, pageInFile: 0 })),
    [0, 2, 1].map((row) => ({ inode: 12, volume: row })),
    ['vdb', 'sda', 'vda'].map((disk) => ({ ...volume, disk })),
  );
  expect(diskNames(places)).toEqual(['vda', 'vdb']);
});
