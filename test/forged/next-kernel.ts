// What a guest needs to start its own kernel again by kexec, on a disk of its own: a tar archive on /dev/vdc.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GuestOptions, modulesOf } from '../guest/guest-options.js';
import { buildInitramfs } from '../guest/initramfs.js';
import { findKernelPackage } from '../guest/kernel-package.js';

const source = fileURLToPath(new URL('kexec.c', import.meta.url));
const names = ['kexec', 'kernel', 'initramfs'] as const;

/** QEMU's arguments for the disk, which is made at `path`. */
export function nextKernelDisk(path: string, options: GuestOptions): readonly string[] {
  const kernel = findKernelPackage(options.kernelRelease, options.kernelFlavour);
  const folder = `${path}.tree`;
  mkdirSync(folder);
  try {
    execFileSync('gcc', ['-O2', '-static', '-s', '-o', join(folder, 'kexec'), source]);
    copyFileSync(kernel.imagePath, join(folder, 'kernel'));
    writeFileSync(join(folder, 'initramfs'), buildInitramfs(kernel, modulesOf(options)));
    execFileSync('tar', ['-cf', path, '-C', folder, ...names]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [
    ...[
      '-blockdev',
      `driver=raw,node-name=next,read-only=on,file.driver=file,file.filename=${path}`,
    ],
    ...['-device', 'virtio-blk-pci,id=next-device,drive=next'],
  ];
}

/** For the guest, one after the other. The second does not come back. */
export const nextKernelCommands = {
  load:
    'mkdir /run/next && tar xf /dev/vdc -C /run/next && cd /run/next && ' +
    './kexec kernel initramfs "$(cat /proc/cmdline)"',
  jump: '/run/next/kexec',
};
