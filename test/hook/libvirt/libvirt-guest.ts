// The guest of the other tests as a VM of libvirt: its first disk is a qcow2 overlay of a golden image, its second is raw.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseChecksums } from '../../guest/checksums.js';
import { CommandPort } from '../../guest/command-port.js';
import { makeDataDisk } from '../../guest/data-disk.js';
import { diskOf, type GuestOptions, machineOf, modulesOf } from '../../guest/guest-options.js';
import { buildInitramfs } from '../../guest/initramfs.js';
import { findKernelPackage } from '../../guest/kernel-package.js';
import { connectWhenThere } from '../../guest/socket.js';
import { makeSpareDisk } from '../../guest/spare-disk.js';
import type { PrivateLibvirt } from './private-libvirt.js';

const OPTIONS = {
  workload: 'programs',
  ramSizeMib: 256,
  vcpuCount: 1,
} as const satisfies GuestOptions;
const BOOT_TIMEOUT_MS = 120_000;
const COMMAND_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;

export class LibvirtGuest {
  readonly name: string;
  readonly goldenPath: string;
  /** The images, by the VM's own names for them. */
  readonly diskPaths: { readonly vda: string; readonly vdb: string };
  readonly #libvirt: PrivateLibvirt;
  #port: CommandPort | undefined;

  private constructor(libvirt: PrivateLibvirt, name: string) {
    const folder = libvirt.imagesFolder;
    this.name = name;
    this.goldenPath = join(folder, 'golden.img');
    this.diskPaths = { vda: join(folder, 'system, first.qcow2'), vdb: join(folder, 'data.img') };
    this.#libvirt = libvirt;
  }

  static async boot(libvirt: PrivateLibvirt, name: string): Promise<LibvirtGuest> {
    const guest = new LibvirtGuest(libvirt, name);
    const kernel = findKernelPackage();
    const { kernelImagePath, kernelCommandLine, ramSizeMib, vcpuCount } = machineOf(
      OPTIONS,
      kernel,
    );
    const folder = libvirt.imagesFolder;
    const initramfsPath = join(folder, 'initramfs');
    writeFileSync(initramfsPath, buildInitramfs(kernel, modulesOf(OPTIONS)));
    makeDataDisk(guest.goldenPath, diskOf(OPTIONS));
    makeSpareDisk(guest.diskPaths.vdb);
    execFileSync('qemu-img', [
      ...['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', guest.goldenPath],
      guest.diskPaths.vda,
    ]);
    const disk = (target: string, format: string, path: string): string =>
      `<disk type='file' device='disk'><driver name='qemu' type='${format}'/><source file='${path}'/>
       <target dev='${target}' bus='virtio'/></disk>`;
    const definitionPath = join(folder, 'domain.xml');
    writeFileSync(
      definitionPath,
      `<domain type='qemu'><name>${name}</name><memory unit='MiB'>${ramSizeMib}</memory><vcpu>${vcpuCount}</vcpu>
       <os><type arch='x86_64' machine='q35'>hvm</type><kernel>${kernelImagePath}</kernel>
       <initrd>${initramfsPath}</initrd><cmdline>${kernelCommandLine}</cmdline></os>
       <features><acpi/><apic/></features>
       <cpu mode='maximum'><feature policy='disable' name='la57'/></cpu>
       <on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
       <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
       ${disk('vda', 'qcow2', guest.diskPaths.vda)}${disk('vdb', 'raw', guest.diskPaths.vdb)}
       <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
       <serial type='file'><source path='${join(folder, 'console.log')}'/><target port='0'/></serial>
       <serial type='unix'><source mode='bind' path='${guest.#socketPath}'/><target port='1'/></serial>
       <memballoon model='none'/></devices></domain>`,
    );
    await libvirt.virsh('define', definitionPath);
    await libvirt.virsh('start', name);
    const port = await guest.#connect();
    await port.ready(BOOT_TIMEOUT_MS);
    return guest;
  }

  /** After the VM has got a new process. */
  async reconnect(): Promise<void> {
    this.close();
    await this.#connect();
  }

  async checksums(): Promise<ReadonlyMap<string, string>> {
    return parseChecksums(await this.command('checksums'));
  }

  async command(line: string): Promise<string> {
    if (this.#port === undefined) {
      throw new Error('the guest is not connected');
    }
    return await this.#port.command(line, COMMAND_TIMEOUT_MS);
  }

  close(): void {
    this.#port?.close();
    this.#port = undefined;
  }

  get #socketPath(): string {
    return join(this.#libvirt.imagesFolder, 'command.sock');
  }

  async #connect(): Promise<CommandPort> {
    const port = new CommandPort(await connectWhenThere(this.#socketPath, CONNECT_TIMEOUT_MS));
    this.#port = port;
    return port;
  }
}
