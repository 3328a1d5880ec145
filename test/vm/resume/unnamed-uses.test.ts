// What of the saved VM's a resumed one would touch is told, and nothing else.
import { unnamedUses } from '../../../src/vm/resume/unnamed-uses.js';
import { optionsIn } from '../options-in.js';

const pathsIn = (words: readonly string[], own: readonly string[] = []) =>
  unnamedUses(optionsIn(...words), (path) => own.includes(path)).map(({ path }) => path);

test.each([
  [['-hda', '/a', '-cdrom', '/c'], ['/a']],
  [['-drive', 'file=/a,readonly=on', '-drive', 'file=/b,media=cdrom', '-drive', 'file=/c'], ['/c']],
  // Firmware's variables are written to as well.
  [
    ['-drive', 'if=pflash,file=/vars,format=raw', '-pflash', '/v2', '-fda', '/f'],
    ['/vars', '/v2', '/f'],
  ],
  [
    [
      ...['-blockdev', '{"driver":"file","filename":"/vars","node-name":"v1"}'],
      ...[
        '-blockdev',
        '{"driver":"raw","file":"v1","node-name":"v2"}',
        '-machine',
        'q35,pflash1=v2',
      ],
    ],
    ['/vars'],
  ],
  [
    [
      ...['-blockdev', '{"driver":"file","filename":"/code","node-name":"c1"}'],
      ...['-blockdev', '{"driver":"raw","file":"c1","node-name":"c2","read-only":true}'],
    ],
    [],
  ],
  [['-chardev', 'socket,id=t,path=/tpm', '-qmp', 'unix:/q,server=on'], ['/tpm']],
  [['-virtfs', 'local,path=/home,mount_tag=h,security_model=none'], ['/home']],
  [['-kernel', '/k', '-D', '/log'], []],
])('%j: %j', (words, paths) => {
  expect(pathsIn(words)).toEqual(paths);
});

test('what is its own is not told, a relative path says that nobody knows where it is', () => {
  expect(pathsIn(['-hda', '/a', '-hdb', '/b'], ['/a'])).toEqual(['/b']);
  const [use] = unnamedUses(optionsIn('-hda', 'disk.img'), () => false);
  expect(use).toEqual({
    path: 'disk.img',
    why: 'the VM would write to it, and in which folder that is nobody knows',
  });
});

test.each([[['-snapshot', '-hda', '/a']], [['-drive', 'file=/a,snapshot=on']]])(
  'a disk whose writes were never kept is told, as it is not that of the moment: %j',
  (words) => {
    const [use] = unnamedUses(optionsIn(...words), () => false);
    expect(use).toEqual({
      path: '/a',
      why: 'what the VM had written over it was kept in no file (-snapshot)',
    });
  },
);
