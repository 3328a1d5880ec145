// What a snapshot calls the drives of a VM.
import fc from 'fast-check';
import { diskNamePattern } from '../../../../src/manifest/space/disk-record.js';
import { driveNames, type NamedDrive } from '../../../../src/vm/capture/disks/drive-names.js';

const drive = (id: string, device = '', nodeName?: string): NamedDrive => ({
  qdev: `/machine/peripheral/${id}/virtio-backend`,
  device,
  nodeName,
});

test("a drive has the id of its device, else the drive's, else the node's, else a number", () => {
  expect(
    driveNames([
      drive('root'),
      { qdev: '/machine/peripheral-anon/device[1]', device: 'virtio1' },
      { device: '', nodeName: 'node2' },
      { device: '', nodeName: '#block123' },
    ]),
  ).toEqual(['root', 'virtio1', 'node2', 'disk3']);
});

test('names that differ in what cannot be held, or far behind, stay apart', () => {
  const long = 'x'.repeat(64);
  expect(driveNames([drive('数据'), drive('服务')])).toEqual(['disk0', 'disk1']);
  expect(driveNames([drive('a:1', 'one'), drive('a_1')])).toEqual(['one', 'a_1']);
  expect(driveNames([drive(`${long}1`), drive(`${long}2`)])).toEqual(['disk0', 'disk1']);
});

test("a number gives way to an owner's name", () => {
  expect(driveNames([drive('ü'), drive('disk0'), drive('a'), drive('a', 'a', 'a')])).toEqual([
    'disk0-1',
    'disk0',
    'a',
    'disk3',
  ]);
});

test('whatever they are called, each has a name of its own that a file can have', () => {
  const word = fc.constantFrom('', 'a', 'disk0', 'disk1', 'disk0-1', 'ü', '../x', 'x'.repeat(70));
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word, word), { maxLength: 12 }), (drives) => {
      const names = driveNames(drives.map(([id, device, node]) => drive(id, device, node)));
      expect(new Set(names).size).toBe(drives.length);
      expect(names.every((name) => diskNamePattern.test(name))).toBe(true);
    }),
  );
});
