// What a test may ask of a guest, and how it becomes a machine. Sizes for the
// workload travel on the kernel command line: the kernel hands words it does not
// know to the first process as environment variables.

import type { DataDiskOptions } from './data-disk.js';
import type { KernelPackage } from './kernel-package.js';
import type { Machine } from './machine.js';
import { KALLSYMS_AT_MIB } from './spare-disk.js';

export interface GuestOptions {
  readonly ramSizeMib?: number;
  readonly vcpuCount?: number;
  readonly cpuModel?: string;
  /** Of the unpacked kernels, the newest whose release begins so, `6.12.` for one. */
  readonly kernelRelease?: string;
  readonly kernelArguments?: readonly string[];
  readonly qemuArguments?: readonly string[];
  /** Kernel modules beyond those that reach the disks. */
  readonly modules?: readonly string[];
  /** Fill all memory with random bytes first, so that free pages are not zero. */
  readonly aged?: boolean;
  readonly anonymousSizeMib?: number;
  readonly tmpfsSizeMib?: number;
  readonly disk?: DataDiskOptions;
  readonly bootTimeoutMs?: number;
}

export const DEFAULT_DISK: DataDiskOptions = { contentSizeMib: 150 };

export function machineOf(options: GuestOptions, kernel: KernelPackage): Machine {
  const environment = {
    kallsyms_at_mib: KALLSYMS_AT_MIB,
    anonymous_mib: options.anonymousSizeMib ?? 32,
    tmpfs_mib: options.tmpfsSizeMib ?? 20,
    aged: options.aged === true ? 1 : 0,
  };
  const kernelCommandLine = [
    'console=ttyS0',
    // Every line costs time under emulation; the ring buffer keeps them all.
    'quiet',
    // An oops ends QEMU (-no-reboot) instead of leaving a test to its timeout.
    'panic=-1',
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(options.kernelArguments ?? []),
  ].join(' ');
  return {
    ramSizeMib: options.ramSizeMib ?? 512,
    vcpuCount: options.vcpuCount ?? 2,
    // All that emulation offers but 5-level paging, which few machines in the field use.
    cpuModel: options.cpuModel ?? 'max,la57=off',
    kernelImagePath: kernel.imagePath,
    kernelCommandLine,
    qemuArguments: options.qemuArguments ?? [],
  };
}
