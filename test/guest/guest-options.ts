// What a test may ask of a guest, and how it becomes a machine. Sizes for the
// workload travel on the kernel command line: the kernel hands words it does not
// know to the first process as environment variables.

import type { KernelFlavour } from '../setup/kernel.mjs';
import type { DataDiskOptions } from './data-disk.js';
import type { KernelPackage } from './kernel-package.js';
import type { Machine } from './machine.js';
import { KALLSYMS_AT_MIB } from './spare-disk.js';

/** What a guest does with its memory; workload.sh says it in full. */
export type Workload = 'mixed' | 'aged' | 'cache' | 'anonymous' | 'programs' | 'database' | 'live';

export interface GuestOptions {
  readonly ramSizeMib?: number;
  /** RAM of QEMU's own, as most VMs have it; it can be captured live, and not be snapshotted as a file. */
  readonly hasPrivateRam?: boolean;
  /** The size of a DIMM beside the RAM. */
  readonly dimmSizeMib?: number;
  /** How much of the RAM lies below 4 GiB at most. */
  readonly lowRamSizeMib?: number;
  readonly vcpuCount?: number;
  readonly cpuModel?: string;
  /** What the release begins with, `6.12.` for one: the newest unpacked kernel of those is taken. */
  readonly kernelRelease?: string;
  readonly kernelFlavour?: KernelFlavour;
  readonly kernelArguments?: readonly string[];
  readonly qemuArguments?: readonly string[];
  /** Kernel modules beyond those that reach the disks. */
  readonly modules?: readonly string[];
  readonly workload?: Workload;
  /** Short for the workload `aged`: all memory is filled with random bytes first, so that free pages are not zero. */
  readonly aged?: boolean;
  /** How much of memory `aged` fills at most. */
  readonly fillSizeMib?: number;
  readonly anonymousSizeMib?: number;
  readonly tmpfsSizeMib?: number;
  /** What differs from the workload's usual disk. */
  readonly disk?: Partial<DataDiskOptions>;
  readonly bootTimeoutMs?: number;
}

/** By workload. */
const DISKS: Readonly<Record<Workload, DataDiskOptions>> = {
  mixed: { contentSizeMib: 150 },
  aged: { contentSizeMib: 150 },
  cache: { contentSizeMib: 200 },
  // Swap lies on it too.
  anonymous: { contentSizeMib: 40, spareRoomMib: 224 },
  programs: { contentSizeMib: 40, hasPrograms: true },
  database: { contentSizeMib: 40, hasPrograms: true },
  // Records are added for as long as it runs.
  live: { contentSizeMib: 20, spareRoomMib: 256 },
};

/** The modules that reach the disks, and those that the workload needs. */
export function modulesOf(options: GuestOptions): string[] {
  return [
    ...['virtio_pci', 'virtio_blk', fileSystemOf(options)],
    // Older kernels compress with whatever lies there as a module.
    ...(workloadOf(options) === 'anonymous' ? ['lzo_rle', 'zram'] : []),
    ...(workloadOf(options) === 'live' ? ['virtio_console'] : []),
    ...(options.modules ?? []),
  ];
}

function workloadOf(options: GuestOptions): Workload {
  return options.workload ?? (options.aged === true ? 'aged' : 'mixed');
}

export function diskOf(options: GuestOptions): DataDiskOptions {
  return { ...DISKS[workloadOf(options)], ...options.disk };
}

function fileSystemOf(options: GuestOptions): string {
  return diskOf(options).fileSystem ?? 'ext4';
}

export function machineOf(options: GuestOptions, kernel: KernelPackage): Machine {
  const isSmall = diskOf(options).hasPrograms === true;
  const environment = {
    kallsyms_at_mib: KALLSYMS_AT_MIB,
    anonymous_mib: options.anonymousSizeMib ?? (isSmall ? 4 : 32),
    tmpfs_mib: options.tmpfsSizeMib ?? (isSmall ? 8 : 20),
    fill_mib_max: options.fillSizeMib ?? 4096,
    file_system: fileSystemOf(options),
    workload: workloadOf(options),
  };
  const kernelCommandLine = [
    'console=ttyS0',
    // Every line costs time under emulation; the ring buffer keeps them all.
    'quiet',
    // An oops ends QEMU (-no-reboot) instead of leaving a test to its timeout.
    'panic=-1',
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(options.dimmSizeMib === undefined ? [] : ['memhp_default_state=online_kernel']),
    ...(options.kernelArguments ?? []),
  ].join(' ');
  return {
    ramSizeMib: options.ramSizeMib ?? 512,
    ...(options.hasPrivateRam === true ? { hasPrivateRam: true } : {}),
    ...(options.dimmSizeMib === undefined ? {} : { dimmSizeMib: options.dimmSizeMib }),
    ...(options.lowRamSizeMib === undefined ? {} : { lowRamSizeMib: options.lowRamSizeMib }),
    vcpuCount: options.vcpuCount ?? 2,
    // All that emulation offers but 5-level paging, which few machines in the field use.
    cpuModel: options.cpuModel ?? 'max,la57=off',
    kernelImagePath: kernel.imagePath,
    kernelCommandLine,
    qemuArguments: options.qemuArguments ?? [],
  };
}
