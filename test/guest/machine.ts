// The virtual machine of a guest as a value, and the QEMU command line it stands
// for. A snapshot keeps the value: QEMU takes a device state back only under the
// command line that it was saved under.

import { join } from 'node:path';

export interface Machine {
  readonly ramSizeMib: number;
  /** RAM of QEMU's own, as most VMs have it, in place of a file. */
  readonly hasPrivateRam?: boolean;
  /** The size of a DIMM beside the RAM, in a file of its own. */
  readonly dimmSizeMib?: number;
  /** How much of the RAM lies below 4 GiB, where that is less than such a machine has there by itself. */
  readonly lowRamSizeMib?: number;
  readonly vcpuCount: number;
  readonly cpuModel: string;
  readonly kernelImagePath: string;
  readonly kernelCommandLine: string;
  readonly qemuArguments: readonly string[];
}

/** The files of a running guest or of a snapshot, by name within its folder. */
export const MACHINE_FILES = {
  ram: 'ram',
  disk: 'disk.img',
  spare: 'spare.img',
  initramfs: 'initramfs',
} as const;

/** The file of the DIMM, where the machine has one. */
export const DIMM_FILE = 'dimm';

/** Only in the folder of a running guest. */
export const RUNTIME_FILES = {
  console: 'console.log',
  commandSocket: 'command.sock',
  qmpSocket: 'qmp.sock',
  /** A second monitor, for code under test. */
  freeQmpSocket: 'qmp-free.sock',
} as const;

export function qemuCommandLine(machine: Machine, folder: string): string[] {
  const path = (name: string) => join(folder, name);
  const size = `id=ram0,size=${machine.ramSizeMib}M`;
  const ramObject =
    machine.hasPrivateRam === true
      ? `memory-backend-ram,${size}`
      : // Shared: the guest's RAM is the file, at any moment.
        `memory-backend-file,${size},mem-path=${path(MACHINE_FILES.ram)},share=on`;
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', 'q35,memory-backend=ram0', '-object', ramObject],
    ...['-accel', 'tcg', '-cpu', machine.cpuModel, '-smp', String(machine.vcpuCount)],
    ...memoryArguments(machine, path(DIMM_FILE)),
    ...['-kernel', machine.kernelImagePath, '-initrd', path(MACHINE_FILES.initramfs)],
    ...['-append', machine.kernelCommandLine],
    ...['-serial', `file:${path(RUNTIME_FILES.console)}`],
    ...['-serial', listeningSocket(path(RUNTIME_FILES.commandSocket))],
    ...['-qmp', listeningSocket(path(RUNTIME_FILES.qmpSocket))],
    ...['-qmp', listeningSocket(path(RUNTIME_FILES.freeQmpSocket))],
    ...disk('disk', path(MACHINE_FILES.disk)),
    ...disk('spare', path(MACHINE_FILES.spare)),
    ...machine.qemuArguments,
  ];
}

function memoryArguments(
  { ramSizeMib, dimmSizeMib, lowRamSizeMib }: Machine,
  dimmPath: string,
): string[] {
  const low = lowRamSizeMib === undefined ? [] : ['-machine', `max-ram-below-4g=${lowRamSizeMib}M`];
  if (dimmSizeMib === undefined) {
    return [...low, '-m', `${ramSizeMib}M`];
  }
  return [
    ...[...low, '-m', `${ramSizeMib}M,slots=1,maxmem=${ramSizeMib + dimmSizeMib}M`],
    '-object',
    `memory-backend-file,id=dimm0-ram,size=${dimmSizeMib}M,mem-path=${dimmPath},share=on`,
    ...['-device', 'pc-dimm,id=dimm0,memdev=dimm0-ram'],
  ];
}

function listeningSocket(path: string): string {
  return `unix:${path},server=on,wait=off`;
}

function disk(name: string, path: string): string[] {
  return [
    ...['-blockdev', `driver=raw,node-name=${name},file.driver=file,file.filename=${path}`],
    ...['-device', `virtio-blk-pci,id=${name}-device,drive=${name}`],
  ];
}
