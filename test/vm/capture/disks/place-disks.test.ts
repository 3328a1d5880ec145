// A restored disk takes the place that the command line has for it, whatever QEMU has put there since.
import { placeDisks } from '../../../../src/vm/capture/disks/place-disks.js';
import type { VmDisk } from '../../../../src/vm/capture/vm-facts.js';
import { optionsIn } from '../../options-in.js';
import { someDisk } from '../facts.js';

function disk(changed: Partial<VmDisk>): VmDisk {
  const layers = changed.layers ?? [{ path: '/disk0.img', format: 'raw' }];
  return {
    ...someDisk,
    deviceId: undefined,
    sourcePath: layers[0].path,
    sourceFormat: layers[0].format,
    ...changed,
    layers,
  };
}

function placed(words: readonly string[], disks: readonly VmDisk[], startFolder?: string) {
  return placeDisks(disks, optionsIn(...words), startFolder).map(
    ({ sourcePath, sourceFormat }) => `${sourceFormat} ${sourcePath}`,
  );
}

const overlay = { path: '/var/tmp/vl.AbCdEf', format: 'qcow2' };

test('a relative path is below the folder that QEMU was started in', () => {
  const disks = [disk({ layers: [{ path: 'd.img', format: 'raw' }] })];
  expect(placed(['-hda', '/vms/d.img'], disks, '/vms')).toEqual(['raw /vms/d.img']);
  expect(placed(['-hda', 'd.img'], disks)).toEqual(['raw d.img']);
  const names = ['sub/a:b.img', 'nbd://host/disk'];
  const others = names.map((path) => disk({ layers: [{ path, format: 'raw' }] }));
  expect(placed([], others, '/vms')).toEqual(['raw /vms/sub/a:b.img', 'raw nbd://host/disk']);
});

test.each([
  ['-snapshot', ['-snapshot', '-hda', '/base.img']],
  ['snapshot=on', ['-drive', 'file=/base.img,format=raw,snapshot=on,if=virtio']],
])('under %s it is the image below the overlay', (_, words) => {
  const disks = [disk({ layers: [overlay, { path: '/base.img', format: 'raw' }] })];
  expect(placed(words, disks)).toEqual(['raw /base.img']);
});

test('a disk that was copied elsewhere while the VM ran goes by its drive, or its device', () => {
  const elsewhere = [{ path: '/new/disk.qcow2', format: 'qcow2' }];
  const byDrive = [disk({ layers: elsewhere, driveId: 'hd' })];
  expect(placed(['-drive', 'id=hd,file=/old.raw,format=raw'], byDrive)).toEqual(['raw /old.raw']);
  const byDevice = [disk({ layers: elsewhere, deviceId: 'dev0' })];
  const words = [
    ...['-blockdev', '{"driver":"file","filename":"/old","node-name":"n1"}'],
    ...['-blockdev', '{"driver":"qcow2","file":"n1","node-name":"n2"}'],
    ...['-device', 'virtio-blk-pci,id=dev0,drive=n2'],
  ];
  expect(placed(words, byDevice)).toEqual(['qcow2 /old']);
});

test('two disks over one base are told by what each alone has', () => {
  const base = { path: '/base', format: 'raw' };
  const disks = ['/a', '/b'].map((path) => disk({ layers: [{ path, format: 'qcow2' }, base] }));
  expect(placed(['-drive', 'file=/base,readonly=on'], disks)).toEqual(['qcow2 /a', 'qcow2 /b']);
});

test('a disk that the command line does not know keeps the path that it has', () => {
  expect(placed(['-m', '1G'], [disk({})])).toEqual(['raw /disk0.img']);
});
