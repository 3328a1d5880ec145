// A guest whose root is a Debian userland on its disk, with systemd as the first process. The host talks to it as to any
// test guest: scripts/agent.sh is the other end.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandPort } from '../../guest/command-port.js';
import { copySparse } from '../../guest/copy-sparse.js';
import { type CpioEntry, encodeCpio } from '../../guest/cpio.js';
import { Guest } from '../../guest/guest.js';
import { BUSYBOX_PATH } from '../../guest/initramfs.js';
import { type KernelPackage, loadModules } from '../../guest/kernel-package.js';
import {
  type Machine,
  MACHINE_FILES,
  qemuCommandLine,
  RUNTIME_FILES,
} from '../../guest/machine.js';
import { QemuProcess } from '../../guest/qemu-process.js';
import { Qmp } from '../../guest/qmp.js';
import { connectWhenThere } from '../../guest/socket.js';
import { makeSpareDisk } from '../../guest/spare-disk.js';

const connectTimeoutMs = 10_000;
/** Several times what systemd takes on an emulated CPU. */
const bootTimeoutMs = 400_000;
const modules = ['virtio_pci', 'virtio_blk', 'ext4'];
const folders = ['bin', 'dev', 'modules', 'proc', 'root', 'sys', 'workloads'];
const scriptsFolder = join(import.meta.dirname, '../scripts');

/** Returns when all that a boot starts has started. The image itself stays as it is. */
export async function bootDebian(
  kernel: KernelPackage,
  imagePath: string,
  ramSizeMib: number,
): Promise<Guest> {
  const machine: Machine = {
    ramSizeMib,
    // More would wait for each other's locks: the host has fewer CPUs than the guests of a run together.
    vcpuCount: 1,
    cpuModel: 'max,la57=off',
    kernelImagePath: kernel.imagePath,
    kernelCommandLine: 'console=ttyS0 quiet panic=-1',
    qemuArguments: [],
  };
  const folder = mkdtempSync(join(tmpdir(), 'pars-workload-'));
  await copySparse(imagePath, join(folder, MACHINE_FILES.disk));
  makeSpareDisk(join(folder, MACHINE_FILES.spare));
  writeFileSync(join(folder, MACHINE_FILES.initramfs), initramfs(kernel));
  const qemu = new QemuProcess(folder, qemuCommandLine(machine, folder));
  try {
    return await qemu.whileRunning(connect());
  } catch (error) {
    const words = qemu.lastWords();
    await qemu.close();
    throw new Error(`the guest did not start: ${(error as Error).message}\n${words}`, {
      cause: error,
    });
  }

  async function connect(): Promise<Guest> {
    const commandSocket = join(folder, RUNTIME_FILES.commandSocket);
    const port = new CommandPort(await connectWhenThere(commandSocket, connectTimeoutMs));
    const qmp = await Qmp.connect(join(folder, RUNTIME_FILES.qmpSocket));
    await port.ready(bootTimeoutMs);
    return new Guest(machine, qemu, port, qmp);
  }
}

function initramfs(kernel: KernelPackage): Buffer {
  const loaded = loadModules(kernel, modules);
  const order = loaded.map(({ fileName }) => `${fileName}\n`).join('');
  const entries: CpioEntry[] = [
    ...folders.map((path): CpioEntry => ({ kind: 'directory', path })),
    { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 },
    executable('bin/busybox', readFileSync(BUSYBOX_PATH)),
    { kind: 'symlink', path: 'bin/sh', target: 'busybox' },
    ...loaded.map(({ fileName, content }): CpioEntry => ({
      kind: 'file',
      path: `modules/${fileName}`,
      content,
    })),
    { kind: 'file', path: 'modules/order', content: Buffer.from(order) },
    ...readdirSync(scriptsFolder).map((name) =>
      executable(`workloads/${name}`, readFileSync(join(scriptsFolder, name))),
    ),
    executable('init', readFileSync(new URL('debian-init.sh', import.meta.url))),
  ];
  return encodeCpio(entries);
}

function executable(path: string, content: Uint8Array): CpioEntry {
  return { kind: 'file', path, content, executable: true };
}
