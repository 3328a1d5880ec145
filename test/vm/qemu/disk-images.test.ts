import { withDiskPath, writableDisks } from '../../../src/vm/qemu/disk-images.js';
import { optionsIn, wordsOf } from '../options-in.js';

const pathsIn = (...words: readonly string[]) =>
  writableDisks(optionsIn(...words)).map(({ path }) => path);

test('images of all kinds of options are found in their order', () => {
  expect(
    pathsIn(
      ...['-hda', '/a', '/b', '-drive', 'file=/c,,c,if=virtio', '-drive', 'if=none,id=x'],
      ...['-blockdev', 'driver=raw,node-name=d,file.driver=file,file.filename=/d'],
      ...['-blockdev', '{"driver":"file","filename":"/e","node-name":"e"}'],
      ...['-blockdev', '{"driver":"qcow2","file":"e","node-name":"e2"}'],
    ),
  ).toEqual(['/a', '/b', '/c,c', '/d', '/e']);
});

test('what the machine does not write to, or is no disk, is left out', () => {
  expect(
    pathsIn(
      ...['-cdrom', '/a', '-drive', 'file=/b,media=cdrom', '-drive', 'file=/c,readonly=on'],
      ...['-drive', 'file=/d,if=pflash,format=raw', '-pflash', '/d2'],
      ...['-blockdev', 'driver=file,node-name=e,filename=/e,read-only=on'],
      // As libvirt writes a chain: the base below its storage node, both below the top.
      ...['-blockdev', '{"driver":"file","filename":"/base","node-name":"s2"}'],
      ...['-blockdev', '{"driver":"raw","file":"s2","node-name":"f2"}'],
      ...['-blockdev', '{"driver":"file","filename":"/top","node-name":"s1"}'],
      ...['-blockdev', '{"driver":"qcow2","file":"s1","backing":"f2","node-name":"f1"}'],
      ...['-blockdev', '{"driver":"file","filename":"/vars","node-name":"v1"}'],
      ...['-blockdev', '{"driver":"raw","file":"v1","node-name":"v2"}'],
      ...['-machine', 'q35,pflash0=v2'],
      ...['-blockdev', '{"driver":"file","filename":"/ro","node-name":"r1"}'],
      ...['-blockdev', '{"driver":"raw","file":"r1","node-name":"r2","read-only":true}'],
    ),
  ).toEqual(['/top']);
});

test.each([
  [
    ['-hda', '/a', '-m', '1G'],
    ['-hda', '/n,w', '-m', '1G'],
  ],
  [
    ['-drive', 'id=x,file=/a'],
    ['-drive', 'id=x,file=/n,,w'],
  ],
  [
    ['-blockdev', '{"driver":"raw","file":{"filename":"/a"},"node-name":"x"}'],
    ['-blockdev', '{"driver":"raw","file":{"filename":"/n,w"},"node-name":"x"}'],
  ],
])('%j gets another disk', (before, after) => {
  const options = optionsIn(...before);
  const [disk] = writableDisks(options);
  expect(wordsOf(withDiskPath(options, disk, '/n,w'))).toEqual(after);
});
