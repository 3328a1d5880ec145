// Builds the guest's whole user land: static busybox, a few programs of our own,
// the kernel modules asked for, and the shell scripts of this folder. Uncompressed, as
// unpacking under emulation takes longer than reading a few more megabytes.

import { readFileSync } from 'node:fs';
import { type CpioEntry, encodeCpio } from './cpio.js';
import { compiledProgram, type GuestProgram } from './guest-program.js';
import { type KernelPackage, loadModules } from './kernel-package.js';

export const BUSYBOX_PATH = '/bin/busybox';

const FOLDERS = ['bin', 'data', 'dev', 'modules', 'proc', 'run', 'shm', 'sys', 'tmp'];

export function buildInitramfs(kernel: KernelPackage, wantedModules: readonly string[]): Buffer {
  const modules = loadModules(kernel, wantedModules);
  const entries: CpioEntry[] = [
    ...FOLDERS.map((path): CpioEntry => ({ kind: 'directory', path })),
    // The kernel opens it for the first process, before anything is mounted.
    { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 },
    {
      kind: 'file',
      path: 'bin/busybox',
      content: readFileSync(BUSYBOX_PATH),
      executable: true,
    },
    program('churn'),
    program('hold'),
    program('page-reader'),
    program('press'),
    program('witness'),
    // init.sh makes the other applets' links.
    { kind: 'symlink', path: 'bin/sh', target: 'busybox' },
    ...modules.map(({ fileName, content }): CpioEntry => ({
      kind: 'file',
      path: `modules/${fileName}`,
      content,
    })),
    {
      kind: 'file',
      path: 'modules/order',
      content: Buffer.from(modules.map(({ fileName }) => `${fileName}\n`).join('')),
    },
    script('init', 'init.sh'),
    script('commands.sh', 'commands.sh'),
    script('fill.sh', 'fill.sh'),
    script('debian.sh', 'debian.sh'),
    script('live.sh', 'live.sh'),
    script('survival.sh', 'survival.sh'),
    script('workload.sh', 'workload.sh'),
  ];
  return encodeCpio(entries);
}

function program(name: GuestProgram): CpioEntry {
  const content = readFileSync(compiledProgram(name));
  return { kind: 'file', path: `bin/${name}`, content, executable: true };
}

function script(path: string, sourceName: string): CpioEntry {
  const content = readFileSync(new URL(sourceName, import.meta.url));
  return { kind: 'file', path, content, executable: true };
}
