// A command line means the same wherever it is read.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineOfProcess } from '../../../src/vm/process-machine.js';
import { withAbsolutePaths } from '../../../src/vm/resume/absolute-paths.js';
import { folderByFiles } from '../../../src/vm/resume/start-folder.js';
import { optionsIn, wordsOf } from '../options-in.js';

test('relative paths of what is there become absolute, and no other word', () => {
  const words = [
    ...['-drive', 'file=disk.img,if=virtio', '-qmp', 'unix:run/q,server=on', '-bios', 'bios.bin'],
    ...['-kernel', '/k', '-hda', '../other.img', '-cdrom', 'nbd://h/d', '-name', 'disk.img'],
  ];
  const there = ['/vms/a/disk.img', '/vms/a/run/q', '/vms/other.img'];
  const { program, options } = withAbsolutePaths(
    { program: './qemu', options: optionsIn(...words) },
    '/vms/a',
    (path) => there.includes(path) || path === '/vms/a/qemu',
  );
  expect(program).toBe('/vms/a/qemu');
  expect(wordsOf(options)).toEqual([
    ...['-drive', 'file=/vms/a/disk.img,if=virtio', '-qmp', 'unix:/vms/a/run/q,server=on'],
    ...['-bios', 'bios.bin', '-kernel', '/k', '-hda', '/vms/other.img', '-cdrom', 'nbd://h/d'],
    ...['-name', 'disk.img'],
  ]);
});

test.each([
  [['/vms/a/disk.img', 'socket:[1]'], ['disk.img'], '/vms/a'],
  [['/vms/a/disk.img'], ['./disk.img'], '/vms/a'],
  [['/disk.img'], ['disk.img'], '/'],
  [['/vms/a/x.img', '/vms/b/x.img'], ['x.img'], undefined],
  [['/vms/a/notdisk.img'], ['disk.img'], undefined],
  [[], ['disk.img'], undefined],
])('of a daemon the open files tell the folder: %j, %j', (opened, paths, folder) => {
  expect(folderByFiles(opened, paths)).toBe(folder);
});

test.each([
  ['in its folder', '.'],
  ['a daemon, which has left it', '/'],
])('a real process: %s', async (_, now) => {
  const folder = mkdtempSync(join(tmpdir(), 'pars-start-folder-'));
  writeFileSync(join(folder, 'disk.img'), 'x');
  const child = spawn('bash', ['-c', `exec 9<disk.img; cd ${now}; echo ready; exec sleep 60`], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await once(child.stdout, 'data');
    const bytes = Buffer.from(
      ['qemu-system-x86_64', '-hda', 'disk.img', '-m', '1G', ''].join('\0'),
    );
    const { bytes: kept } = machineOfProcess(child.pid ?? 0, bytes);
    expect(JSON.parse(Buffer.from(kept).toString())).toEqual([
      ...['qemu-system-x86_64', '-hda', join(folder, 'disk.img'), '-m', '1G'],
    ]);
    const whole = Buffer.from('qemu-system-x86_64\0-hda\0/disk.img\0');
    expect(machineOfProcess(child.pid ?? 0, whole).bytes).toBe(whole);
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});
