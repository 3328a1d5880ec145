import { planResume, type ResumeInput } from '../../../src/vm/resume/plan-resume.js';
import { thrownBy } from '../../introspect/memory/thrown-by.js';
import { optionsIn, wordsOf } from '../options-in.js';

const ram = { path: '/out, 1/ram', sizeBytes: 512 * 2 ** 20 };
const sharedRam = 'memory-backend-file,id=ram0,size=512M,mem-path=/old/ram,share=on';

function plan(words: readonly string[], input: Partial<ResumeInput> = {}) {
  return planResume({
    command: { program: 'qemu', options: optionsIn(...words) },
    ram: undefined,
    folder: '/out, 1',
    replacements: [],
    ...input,
  });
}

test('options that load a state or hide QEMU are dropped, and the monitor of an earlier resume', () => {
  const words = [
    ...['-S', '-m', '1G', '-daemonize', '-incoming', 'tcp:0:1', '-pidfile', '/p', '-append', '-S'],
    ...['-loadvm', 'x', '-chardev', 'pipe,id=pars-resume,path=/x/qmp', '-chardev', 'null,id=n'],
    ...['-mon', 'chardev=pars-resume,mode=control', '-mon', 'chardev=n'],
  ];
  expect(wordsOf(plan(words).command.options)).toEqual([
    ...['-m', '1G', '-append', '-S', '-chardev', 'null,id=n', '-mon', 'chardev=n'],
  ]);
});

test.each([
  [sharedRam, 'memory-backend-file,id=ram0,size=512M,mem-path=/out,, 1/ram,share=on'],
  [
    '{"qom-type":"memory-backend-file","id":"r","size":536870912,"mem-path":"/o","share":true}',
    '{"qom-type":"memory-backend-file","id":"r","size":536870912,"mem-path":"/out, 1/ram","share":true}',
  ],
])('the machine gets the restored RAM: %s', (before, after) => {
  expect(wordsOf(plan(['-object', before, '-m', '512M'], { ram }).command.options)).toEqual([
    ...['-object', after, '-m', '512M'],
  ]);
});

test.each([
  [[], /found no memory backend/],
  [['-object', sharedRam.replace('on', 'off')], /found -object memory-backend-file.*share=off/],
  [['-object', 'memory-backend-memfd,id=m,share=on,size=1G'], /found -object memory-backend-memfd/],
  [['-object', sharedRam, '-object', sharedRam.replace('ram0', 'ram1')], /found 2, and which part/],
  [
    ['-object', sharedRam.replace('512M', '0.25G')],
    /size 0.25G \(268435456 bytes\).*has 536870912/,
  ],
  [['-object', sharedRam.replace('512M', 'big')], /size big, the restored/],
  [['-object', sharedRam.replace('size=512M,', '')], /size none, the restored/],
])('a machine without one RAM file of that size is refused: %j', (words, message) => {
  const error = thrownBy(() => plan(words, { ram }));
  expect(error.code).toBe('usage');
  expect(error.message).toMatch(message);
});

test('RAM from a stream never goes to the file of the old VM, unless the user says so', () => {
  const words = ['-object', sharedRam, '-object', sharedRam.replace('ram0', 'ram1')];
  const paths = (options = plan(words).command.options) =>
    wordsOf(options).flatMap((word) => /mem-path=(.*),share/.exec(word)?.[1] ?? []);
  expect(paths()).toEqual(['/out,, 1/vm-ram-1', '/out,, 1/vm-ram-2']);
  const replacements = [{ oldPath: '/old/ram', newPath: '/dev/hugepages' }];
  expect(paths(plan(words, { replacements }).command.options)).toEqual([
    ...['/dev/hugepages', '/dev/hugepages'],
  ]);
});

test('the restored disk replaces the one disk, but none of several and not what the user chose', () => {
  const diskPath = '/out/disk';
  const one = plan(['-hda', '/a', '-cdrom', '/c'], { diskPath });
  expect(wordsOf(one.command.options)).toEqual(['-hda', diskPath, '-cdrom', '/c']);
  expect(one.diskPaths).toEqual([diskPath]);
  expect(plan(['-hda', '/a', '-hdb', '/b'], { diskPath }).diskPaths).toEqual(['/a', '/b']);
  const replacements = [{ oldPath: '/a', newPath: '/b' }];
  expect(plan(['-hda', '/a'], { diskPath, replacements }).diskPaths).toEqual(['/b']);
  expect(plan([], { diskPath }).diskPaths).toEqual([]);
});

test('a disk restored with the RAM stands for the path that it had, unless the user says otherwise', () => {
  const words = ['-drive', 'file=/vms/a.qcow2,format=qcow2', '-hdb', '/vms/b', '-cdrom', '/c'];
  const a = { sourcePath: '/vms/a.qcow2', path: '/out/disk-a.qcow2' };
  const b = { sourcePath: '/vms/b', path: '/out/disk-b.img' };
  const all = plan(words, { restoredDisks: [a, b] });
  expect(wordsOf(all.command.options)).toEqual([
    ...['-drive', 'file=/out/disk-a.qcow2,format=qcow2', '-hdb', '/out/disk-b.img'],
    ...['-cdrom', '/c'],
  ]);
  expect(all).toMatchObject({ diskPaths: [a.path, b.path], usedDisks: [a, b] });

  const replacements = [{ oldPath: '/vms/b', newPath: '/mine' }];
  const chosen = plan(words, { restoredDisks: [a, b], replacements });
  expect(chosen).toMatchObject({ diskPaths: [a.path, '/mine'], usedDisks: [a] });
  expect(plan(words, { restoredDisks: [a], diskPath: '/given' }).diskPaths).toEqual([
    ...[a.path, '/vms/b'],
  ]);
});

test('a restored disk that the machine does not name, or not by a whole path, is not used', () => {
  const words = ['-hda', 'relative', '-name', '/vms/a', '-smp', '1'];
  const restoredDisks = ['/vms/a', 'relative', '1', ''].map((sourcePath) => ({
    sourcePath,
    path: '/out/disk',
  }));
  const { command, usedDisks } = plan(words, { restoredDisks });
  expect(wordsOf(command.options)).toEqual(words);
  expect(usedDisks).toEqual([]);
});

test('a path of a dropped option is named nowhere', () => {
  const replacements = [{ oldPath: '/p', newPath: '/q' }];
  expect(thrownBy(() => plan(['-pidfile', '/p'], { replacements })).code).toBe('usage');
});
