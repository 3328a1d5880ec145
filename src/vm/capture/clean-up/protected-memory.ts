// The write protection that a background snapshot puts on a VM's memory, seen and taken off from outside of QEMU.
//
// A QEMU before 8.1 whose background snapshot breaks off forgets the descriptor by which the kernel was told to protect the
// memory (userfaultfd). Whoever writes there waits from then on: the VM's CPUs, and soon the thread of QEMU that answers QMP,
// since a CPU that waits amid the work of a device keeps the lock that this thread needs. The protection hangs on what the descriptor stands for, so a copy of it will do.
// (Linux Documentation/admin-guide/mm/userfaultfd.rst; pidfd_getfd(2), ioctl_userfaultfd(2))
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { openLibc } from '../../../host/libc.js';
import { areasOf, rangeOf } from '../memory-areas.js';

/** UFFDIO_WRITEPROTECT of <linux/userfaultfd.h>: takes a struct of 24 bytes, and writes into it. */
const writeProtect = 0xc018_aa06;
/** The mode for UFFDIO_WRITEPROTECT: protect no more, and wake who waits. */
const unprotected = 0n;

/**
 * The descriptors of a process that are userfaultfds, by number. Throws what Node does where another user's process, or none,
 * has that `pid`.
 */
export function protectingDescriptors(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(join(folder, name)) === 'anon_inode:[userfaultfd]';
    } catch {
      // Closed meanwhile.
      return false;
    }
  });
}

/**
 * Takes the write protection off all memory of a process, whatever the process is doing. The snapshot that it was for is worth
 * nothing from then on. Nothing is done where this may not be, or without koffi and glibc 2.36.
 */
export function liftProtection(pid: number): void {
  try {
    const descriptors = protectingDescriptors(pid);
    const libc = descriptors.length === 0 ? undefined : openLibc();
    if (libc === undefined) {
      return;
    }
    const openProcess = libc.func('int pidfd_open(int pid, unsigned int flags)');
    const copyDescriptor = libc.func('int pidfd_getfd(int pidfd, int fd, unsigned int flags)');
    const control = libc.func('int ioctl(int fd, unsigned long request, void *argument)');
    const pidfd = openProcess(pid, 0);
    if (pidfd < 0) {
      return;
    }
    try {
      for (const descriptor of descriptors) {
        const fd = copyDescriptor(pidfd, Number(descriptor), 0);
        if (fd < 0) {
          continue;
        }
        try {
          for (const { start, end } of protectedRanges(pid)) {
            // A range that is of another descriptor is refused, and comes with that one.
            control(
              fd,
              writeProtect,
              BigUint64Array.of(BigInt(start), BigInt(end - start), unprotected),
            );
          }
        } finally {
          closeSync(fd);
        }
      }
    } finally {
      closeSync(pidfd);
    }
  } catch {
    // It has ended, or may not be looked into: then QEMU itself is asked (unprotect.ts).
  }
}

/** Areas for whose pages the kernel keeps a protection by userfaultfd: `uw` among their flags. */
function protectedRanges(pid: number) {
  return areasOf(readFileSync(`/proc/${pid}/smaps`, 'latin1'))
    .filter((area) => /^VmFlags:.*\buw\b/m.test(area))
    .map(rangeOf);
}
