// What a guest needs to start its own kernel again by kexec.
import { fileURLToPath } from 'node:url';
import { archiveFolder, makeArchiveDisk, unpackArchive } from '../guest/archive-disk.js';
import { type GuestOptions, modulesOf } from '../guest/guest-options.js';
import { compiledSource } from '../guest/guest-program.js';
import { buildInitramfs } from '../guest/initramfs.js';
import { findKernelPackage } from '../guest/kernel-package.js';

const source = fileURLToPath(new URL('kexec.c', import.meta.url));

/** QEMU's arguments for a disk with the files, which is made at `path`. */
export function nextKernelDisk(path: string, options: GuestOptions): readonly string[] {
  const kernel = findKernelPackage(options.kernelRelease, options.kernelFlavour);
  return makeArchiveDisk(path, {
    kexec: { path: compiledSource(source) },
    kernel: { path: kernel.imagePath },
    initramfs: { bytes: buildInitramfs(kernel, modulesOf(options)) },
  });
}

/** For the guest, one after the other. The second does not come back. */
export const nextKernelCommands = {
  load: `${unpackArchive} && cd ${archiveFolder} && ./kexec kernel initramfs "$(cat /proc/cmdline)"`,
  jump: `${archiveFolder}/kexec`,
};
