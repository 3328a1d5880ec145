// Which disks of a domain are part of its snapshot.
import { chooseDisks } from '../../../src/hook/libvirt/disk-choice.js';
import type { DomainDisk } from '../../../src/vm/libvirt/domain-xml.js';

const plain: DomainDisk = {
  target: 'vda',
  device: 'disk',
  sourceType: 'file',
  sourcePath: '/a.img',
  format: 'raw',
  isReadOnly: false,
  isShared: false,
  isEncrypted: false,
};

test('a file that only this VM writes to is taken', () => {
  expect(chooseDisks([plain])).toEqual({
    chosen: [{ target: 'vda', sourcePath: '/a.img', format: 'raw' }],
    left: [],
  });
});

test.each<readonly [string, Partial<DomainDisk>, boolean, RegExp]>([
  ['a read-only disk', { isReadOnly: true }, false, /cannot write/],
  ['a CD drive', { device: 'cdrom', isReadOnly: true }, false, /cdrom drive/],
  ['a drive without a medium', { device: 'floppy', sourcePath: undefined }, false, /floppy drive/],
  ['a shared disk', { isShared: true }, true, /other VMs/],
  ['a block device', { sourceType: 'block', sourcePath: '/dev/vg/a' }, true, /block disk/],
  ['a disk of the network', { sourceType: 'network', sourcePath: undefined }, true, /network disk/],
  ['a SCSI device handed through', { device: 'lun', sourceType: 'block' }, true, /block lun/],
  ['an encrypted disk', { isEncrypted: true }, true, /encrypted/],
  ['an image of an unknown kind', { format: 'luks' }, true, /luks/],
  ['a disk without a file', { sourcePath: undefined }, true, /no medium/],
  ['a disk with a strange name', { target: '../vda' }, true, /name/],
])('%s is left, with the reason', (_, change, isMissed, reason) => {
  const { chosen, left } = chooseDisks([{ ...plain, ...change }]);
  expect(chosen).toEqual([]);
  expect(left).toEqual([
    { target: change.target ?? 'vda', reason: expect.stringMatching(reason) as string, isMissed },
  ]);
});
