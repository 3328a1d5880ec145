// Builds the guest's whole user land: static busybox, the kernel modules that
// reach the disks, and the three shell scripts of this folder. Uncompressed, as
// unpacking under emulation takes longer than reading a few more megabytes.

import { readFileSync } from 'node:fs';
import { encodeCpio, type CpioEntry } from './cpio.js';
import { loadModules, type KernelPackage } from './kernel-package.js';

export const BUSYBOX_PATH = '/bin/busybox';

const MODULES = ['virtio_pci', 'virtio_blk', 'ext4'];
const FOLDERS = ['bin', 'data', 'dev', 'modules', 'proc', 'run', 'shm', 'sys', 'tmp'];

export function buildInitramfs(
  kernel: KernelPackage,
  extraModules: readonly string[] = [],
): Buffer {
  const modules = loadModules(kernel, [...MODULES, ...extraModules]);
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
    script('workload.sh', 'workload.sh'),
  ];
  return encodeCpio(entries);
}

function script(path: string, sourceName: string): CpioEntry {
  const content = readFileSync(new URL(sourceName, import.meta.url));
  return { kind: 'file', path, content, executable: true };
}
